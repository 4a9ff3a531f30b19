//! What makes pods: where each kind of object has its pod's template.
//!
//! PURE.

use serde_json::Value;

use crate::{
    pod::{Pod, text},
    settings::PREFIX,
};

/// Where an object has its pod, and whether that pod is meant to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// Where it is in the object; empty when the object is the pod.
    pub pointer: &'static str,
    /// Whether the pod is meant to end.
    pub ends: bool,
}

impl Template {
    /// The template of `object`, if it is of a kind that has one.
    pub fn of(object: &Value) -> Option<Self> {
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

    /// The commonest mistake: annotations of ours on the workload instead of its pods.
    pub fn misplaced(&self, object: &Value) -> Option<String> {
        let annotations = Pod::annotations(object).filter(|_| !self.pointer.is_empty())?;
        let key = annotations.keys().find(|key| key.to_ascii_lowercase().starts_with(PREFIX))?;
        let place = self.pointer.replace('/', ".");
        let place = place.trim_start_matches('.');
        Some(format!(
            "mayfly: `{key}` has no effect here; move it to `{place}.metadata.annotations`"
        ))
    }
}
