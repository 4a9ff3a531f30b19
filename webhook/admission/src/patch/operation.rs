//! One operation of a JSON Patch, whose value keeps the type in which it was built.
//!
//! PURE. So the agent's container is written to JSON once, as bytes of the answer, and not first
//! turned into a tree: half of a review's time went there.

use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use jsonptr::PointerBuf;
use k8s_openapi::api::core::v1::{Container, Volume};
use serde::Serialize;
use serde_json::Value;

/// An addition, a replacement or a removal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operation {
    op: Verb,
    path: PointerBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Addition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// What is added.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Addition {
    /// Any JSON.
    Json(Value),
    /// One of our volumes.
    Volume(Box<Volume>),
    /// Our container.
    Container(Box<Container>),
    /// A list that is created with its first item.
    List([Box<Self>; 1]),
}

impl Operation {
    pub(super) fn add(path: PointerBuf, value: Addition) -> Self {
        Self { op: Verb::Add, path, value: Some(value) }
    }

    pub(super) fn replace(path: PointerBuf, value: Addition) -> Self {
        Self { op: Verb::Replace, path, value: Some(value) }
    }

    pub(super) fn remove(path: PointerBuf) -> Self {
        Self { op: Verb::Remove, path, value: None }
    }

    fn to_json_patch(&self) -> PatchOperation {
        let (path, value) = (self.path.clone(), crate::injection::json(&self.value));
        match self.op {
            Verb::Add => PatchOperation::Add(AddOperation { path, value }),
            Verb::Replace => PatchOperation::Replace(ReplaceOperation { path, value }),
            Verb::Remove => PatchOperation::Remove(RemoveOperation { path }),
        }
    }
}

/// The operations as a patch that can be applied.
pub fn patch(operations: &[Operation]) -> Patch {
    Patch(operations.iter().map(Operation::to_json_patch).collect())
}
