//! Patches: operations, each decided on what was submitted and what the earlier ones have made.
//!
//! PURE. A parent that was missing is created exactly once, because the editor knows what it has
//! created; nothing is ever diffed, and the pod never passes through a type of ours.

pub mod operation;

use jsonptr::{PointerBuf, Token};
use serde_json::Value;

pub use operation::{Addition, Operation};

use crate::{
    injection::{Injection, Step},
    pod::{List, Position},
};

/// What was submitted, and the operations that lead from there.
#[derive(Debug)]
pub struct Editor {
    original: Value,
    operations: Vec<Operation>,
    /// The lists that one of the operations creates.
    created: Vec<PointerBuf>,
}

impl Editor {
    /// An editor of `original`.
    pub fn new(original: Value) -> Self {
        Self { original, operations: Vec::new(), created: Vec::new() }
    }

    /// The operations alone, when nobody asks for what they make.
    pub fn into_operations(self) -> Vec<Operation> {
        self.operations
    }

    /// What the operations make of the original, and whether that is anything else.
    pub fn finish(mut self) -> Result<(Value, bool), json_patch::PatchError> {
        let patch = operation::patch(&self.operations);
        json_patch::patch(&mut self.original, &patch)?;
        Ok((self.original, !patch.is_empty()))
    }

    /// Adds `value` at the place `token` of the list at `path`, which is created if there is none.
    fn insert(&mut self, path: &[Token<'_>], token: Token<'_>, value: Addition) {
        let list = PointerBuf::from_tokens(path);
        let exists = list.resolve(&self.original).is_ok_and(Value::is_array);
        if exists || self.created.contains(&list) {
            self.operations.push(Operation::add(list.with_trailing_token(token), value));
        } else {
            self.created.push(list.clone());
            self.operations.push(Operation::add(list, Addition::List([Box::new(value)])));
        }
    }

    /// Takes the item at `path` away.
    fn remove(&mut self, path: &[Token<'_>]) {
        self.operations.push(Operation::remove(PointerBuf::from_tokens(path)));
    }

    /// Sets what is at `path`, whose parent exists.
    fn set(&mut self, path: &[Token<'_>], value: Addition) {
        let path = PointerBuf::from_tokens(path);
        let exists = path.resolve(&self.original).is_ok();
        let operation = if exists { Operation::replace } else { Operation::add };
        self.operations.push(operation(path, value));
    }
}

/// What each step of `injection` means in the JSON of `pod`.
pub fn render(injection: Injection, pod: Value) -> Editor {
    let mut editor = Editor::new(pod);
    for step in injection.steps {
        match step {
            Step::Volume(volume) => {
                let path = ["spec".into(), "volumes".into()];
                editor.insert(&path, "-".into(), Addition::Volume(volume));
            }
            Step::Append(position, field, value) => {
                let [spec, list, index] = container(position);
                let path = [spec, list, index, field.into()];
                editor.insert(&path, "-".into(), Addition::Json(value));
            }
            Step::RepairedVolume(index, volume) => {
                let path = ["spec".into(), "volumes".into(), index.into()];
                editor.set(&path, Addition::Volume(volume));
            }
            Step::Repaired(position, value) => {
                editor.set(&container(position), Addition::Json(value));
            }
            Step::Moved(from, Position { list, index }, value) => {
                editor.remove(&container(from));
                let path = ["spec".into(), list.field().into()];
                editor.insert(&path, index.into(), Addition::Json(value));
            }
            Step::Annotation(name, value) => {
                let path = ["metadata".into(), "annotations".into(), name.into()];
                editor.set(&path, Addition::Json(Value::String(value)));
            }
            Step::Container(Position { list, index }, value) => {
                let path = ["spec".into(), list.field().into()];
                editor.insert(&path, index.into(), Addition::Container(value));
            }
        }
    }
    editor
}

fn container(position: Position) -> [Token<'static>; 3] {
    let list: &'static str = List::field(position.list);
    ["spec".into(), list.into(), position.index.into()]
}
