//! A pod's manifest, built up to what a test is about. It is JSON, which kubectl takes as it takes YAML.

use std::fmt;

use mayfly_tests::lab::images::BUSYBOX;
use serde_json::{Value, json};

/// A pod with one container, `app`, that sleeps unless told otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Manifest(Value);

/// What a container does that has nothing to do: it ends at once when it is asked to.
pub(crate) const SLEEP: &str = "trap exit TERM; sleep 3600 & wait";

impl Manifest {
    /// A pod of that name that does not ask for Mayfly.
    pub(crate) fn plain(name: &str) -> Self {
        Self(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "annotations": {}},
            "spec": {"terminationGracePeriodSeconds": 5, "containers": [container("app", SLEEP)]},
        }))
    }

    /// A pod of that name that asks for Mayfly, every second.
    pub(crate) fn asking(name: &str) -> Self {
        Self::plain(name).annotate("inject", "true").annotate("refresh", "1s")
    }

    /// Sets `mayfly.dev/<key>`.
    pub(crate) fn annotate(self, key: &str, value: &str) -> Self {
        self.annotation(&format!("mayfly.dev/{key}"), value)
    }

    /// Sets an annotation by its whole key.
    pub(crate) fn annotation(mut self, key: &str, value: &str) -> Self {
        self.0["metadata"]["annotations"][key] = json!(value);
        self
    }

    /// Sets a label.
    pub(crate) fn label(mut self, key: &str, value: &str) -> Self {
        self.0["metadata"]["labels"][key] = json!(value);
        self
    }

    /// Gives `app` a shell script to run.
    pub(crate) fn script(mut self, script: &str) -> Self {
        self.0["spec"]["containers"][0]["command"] = json!(["sh", "-c", script]);
        self
    }

    /// Sets a field of the pod's `spec`.
    pub(crate) fn spec(mut self, field: &str, value: Value) -> Self {
        self.0["spec"][field] = value;
        self
    }

    /// Sets a field of the container `app`.
    pub(crate) fn app(mut self, field: &str, value: Value) -> Self {
        self.0["spec"]["containers"][0][field] = value;
        self
    }

    /// Adds another container.
    pub(crate) fn and(mut self, container: Value) -> Self {
        if let Some(containers) = self.0["spec"]["containers"].as_array_mut() {
            containers.push(container);
        }
        self
    }

    /// Adds an init container, after those that are there.
    pub(crate) fn init(mut self, container: Value) -> Self {
        if !self.0["spec"]["initContainers"].is_array() {
            self.0["spec"]["initContainers"] = json!([]);
        }
        if let Some(containers) = self.0["spec"]["initContainers"].as_array_mut() {
            containers.push(container);
        }
        self
    }

    /// The pod as the template of a workload: its metadata without a name, and its spec.
    pub(crate) fn template(&self) -> Value {
        json!({
            "metadata": {"annotations": self.0["metadata"]["annotations"], "labels": {"app": self.0["metadata"]["name"]}},
            "spec": self.0["spec"],
        })
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A container that runs a shell script.
pub(crate) fn container(name: &str, script: &str) -> Value {
    json!({"name": name, "image": BUSYBOX, "command": ["sh", "-c", script]})
}
