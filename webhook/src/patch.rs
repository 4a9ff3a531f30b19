//! Patches: operations that are applied to a working copy as they are recorded.
//!
//! PURE. Because each operation is applied before the next is made, a parent that was missing is
//! created exactly once, and what is recorded always leads from what was submitted to the working
//! copy. Nothing is ever diffed, and the pod never passes through a type of ours.

use json_patch::{AddOperation, Patch, PatchError, PatchOperation, ReplaceOperation};
use jsonptr::{PointerBuf, Token};
use serde_json::Value;

use crate::{
    injection::{Injection, Step},
    pod::{List, Position},
};

/// A working copy and the operations that made it.
#[derive(Debug)]
pub struct Editor {
    copy: Value,
    operations: Vec<PatchOperation>,
    refused: Option<PatchError>,
}

impl Editor {
    /// An editor of `original`.
    pub fn new(original: Value) -> Self {
        Self { copy: original, operations: Vec::new(), refused: None }
    }

    /// The working copy and the patch that leads to it, unless one operation could not be applied.
    pub fn finish(self) -> Result<(Value, Patch), PatchError> {
        self.refused.map_or(Ok((self.copy, Patch(self.operations))), Err)
    }

    /// Adds `value` at the end of the list at `path`, which is created if there is none.
    fn append(&mut self, path: &[Token<'_>], value: Value) {
        let list = pointer(path);
        if list.resolve(&self.copy).is_ok_and(Value::is_array) {
            self.add(list.with_trailing_token("-"), value);
        } else {
            self.add(list, Value::Array(vec![value]));
        }
    }

    /// Adds `value` before the item `index` of the list at `path`, which is created if there is none.
    fn insert(&mut self, path: &[Token<'_>], index: usize, value: Value) {
        let list = pointer(path);
        if list.resolve(&self.copy).is_ok_and(Value::is_array) {
            self.add(list.with_trailing_token(index), value);
        } else {
            self.add(list, Value::Array(vec![value]));
        }
    }

    /// Sets the member at `path`, whose object exists.
    fn set(&mut self, path: &[Token<'_>], value: Value) {
        let path = pointer(path);
        if path.resolve(&self.copy).is_ok() {
            self.record(PatchOperation::Replace(ReplaceOperation { path, value }));
        } else {
            self.add(path, value);
        }
    }

    fn add(&mut self, path: PointerBuf, value: Value) {
        self.record(PatchOperation::Add(AddOperation { path, value }));
    }

    fn record(&mut self, operation: PatchOperation) {
        match json_patch::patch_unsafe(&mut self.copy, std::slice::from_ref(&operation)) {
            Ok(()) => self.operations.push(operation),
            Err(error) => self.refused = Some(error),
        }
    }
}

/// Applies `injection` to `pod`: what each step means in JSON.
pub fn render(injection: Injection, pod: Value) -> Result<(Value, Patch), PatchError> {
    let mut editor = Editor::new(pod);
    for step in injection.steps {
        match step {
            Step::Volume(volume) => editor.append(&["spec".into(), "volumes".into()], volume),
            Step::Append(position, field, value) => {
                let [spec, list, index] = container(position);
                editor.append(&[spec, list, index, field.into()], value);
            }
            Step::Set(position, path, value) => {
                let mut tokens = container(position).to_vec();
                tokens.extend(path.into_iter().map(Token::from));
                editor.set(&tokens, value);
            }
            Step::Annotation(name, value) => {
                let path = ["metadata".into(), "annotations".into(), name.into()];
                editor.set(&path, Value::String(value));
            }
            Step::Container(Position { list, index }, value) => {
                editor.insert(&["spec".into(), list.field().into()], index, value);
            }
        }
    }
    editor.finish()
}

fn container(position: Position) -> [Token<'static>; 3] {
    let list: &'static str = List::field(position.list);
    ["spec".into(), list.into(), position.index.into()]
}

fn pointer(tokens: &[Token<'_>]) -> PointerBuf {
    PointerBuf::from_tokens(tokens)
}
