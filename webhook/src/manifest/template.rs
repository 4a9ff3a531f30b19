//! Where the pod is in each kind of object.
//!
//! PURE.

use serde_json::Value;

use crate::pod::text;

/// Where an object has its pod, and whether that pod is meant to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) pointer: &'static str,
    pub(super) ends: bool,
}

impl Template {
    /// The template of `object`, if it is of a kind that has one.
    pub(super) fn of(object: &Value) -> Option<Self> {
        let group = text(object, "apiVersion").split_once('/').map_or("", |(group, _)| group);
        let (pointer, ends) = match (group, text(object, "kind")) {
            ("", "Pod") => ("", false),
            ("", "PodTemplate") => ("/template", false),
            (
                "" | "apps" | "extensions",
                "ReplicationController" | "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet",
            ) => ("/spec/template", false),
            ("batch", "Job") => ("/spec/template", true),
            ("batch", "CronJob") => ("/spec/jobTemplate/spec/template", true),
            _ => return None,
        };
        Some(Self { pointer, ends })
    }
}

/// The items of a list of objects.
pub(super) fn items(object: &mut Value) -> Option<&mut Vec<Value>> {
    if !text(object, "kind").ends_with("List") {
        return None;
    }
    object.get_mut("items").and_then(Value::as_array_mut)
}

/// What a person calls the object.
pub(super) fn label(number: usize, object: &Value) -> String {
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let name = ["name", "generateName"].map(|field| text(metadata, field));
    let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or("without a name");
    format!("document {number}, {} {}", text(object, "kind"), crate::fault::quote(name))
}
