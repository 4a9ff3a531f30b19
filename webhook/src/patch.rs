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
    /// How many of the operations the copy has seen: all, whenever it is looked at.
    applied: usize,
}

impl Editor {
    /// An editor of `original`.
    pub fn new(original: Value) -> Self {
        Self { copy: original, operations: Vec::new(), applied: 0 }
    }

    /// The patch alone, when nobody asks for what it makes.
    pub fn into_patch(self) -> Patch {
        Patch(self.operations)
    }

    /// What the patch makes of the original, and the patch.
    pub fn finish(mut self) -> Result<(Value, Patch), PatchError> {
        self.settle()?;
        Ok((self.copy, Patch(self.operations)))
    }

    /// Adds `value` at the end of the list at `path`, which is created if there is none.
    fn append(&mut self, path: &[Token<'_>], value: Value) -> Result<(), PatchError> {
        self.insert(path, "-".into(), value)
    }

    /// Adds `value` at the place `token` of the list at `path`, which is created if there is none.
    fn insert(
        &mut self,
        path: &[Token<'_>],
        token: Token<'_>,
        value: Value,
    ) -> Result<(), PatchError> {
        self.settle()?;
        let list = pointer(path);
        let (path, value) = if list.resolve(&self.copy).is_ok_and(Value::is_array) {
            (list.with_trailing_token(token), value)
        } else {
            (list, Value::Array(vec![value]))
        };
        self.operations.push(PatchOperation::Add(AddOperation { path, value }));
        Ok(())
    }

    /// Sets the member at `path`, whose object exists.
    fn set(&mut self, path: &[Token<'_>], value: Value) -> Result<(), PatchError> {
        self.settle()?;
        let path = pointer(path);
        self.operations.push(if path.resolve(&self.copy).is_ok() {
            PatchOperation::Replace(ReplaceOperation { path, value })
        } else {
            PatchOperation::Add(AddOperation { path, value })
        });
        Ok(())
    }

    /// Brings the copy up to date: before it is looked at, and so before the next operation is made.
    fn settle(&mut self) -> Result<(), PatchError> {
        json_patch::patch_unsafe(&mut self.copy, &self.operations[self.applied..])?;
        self.applied = self.operations.len();
        Ok(())
    }
}

/// Applies `injection` to `pod`: what each step means in JSON.
pub fn render(injection: Injection, pod: Value) -> Result<Editor, PatchError> {
    let mut editor = Editor::new(pod);
    for step in injection.steps {
        match step {
            Step::Volume(volume) => editor.append(&["spec".into(), "volumes".into()], volume)?,
            Step::Append(position, field, value) => {
                let [spec, list, index] = container(position);
                editor.append(&[spec, list, index, field.into()], value)?;
            }
            Step::Set(position, path, value) => {
                let mut tokens = container(position).to_vec();
                tokens.extend(path.into_iter().map(Token::from));
                editor.set(&tokens, value)?;
            }
            Step::Annotation(name, value) => {
                let path = ["metadata".into(), "annotations".into(), name.into()];
                editor.set(&path, Value::String(value))?;
            }
            Step::Container(Position { list, index }, value) => {
                editor.insert(&["spec".into(), list.field().into()], index.into(), value)?;
            }
        }
    }
    Ok(editor)
}

fn container(position: Position) -> [Token<'static>; 3] {
    let list: &'static str = List::field(position.list);
    ["spec".into(), list.into(), position.index.into()]
}

fn pointer(tokens: &[Token<'_>]) -> PointerBuf {
    PointerBuf::from_tokens(tokens)
}
