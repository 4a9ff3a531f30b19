//! The example pod, and the review in which the API server would show it to the webhook.

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// The pod, as its author writes it.
pub(super) const MANIFEST: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web-7d4b9
  namespace: shop
  annotations:
    mayfly.dev/inject: \"true\"
    mayfly.dev/file.db-user: aws-sm:prod/db#username
    mayfly.dev/file.db-password: aws-sm:prod/db#password
    mayfly.dev/file.api.json: vault:secret/app
    mayfly.dev/path-env: DB_PASSWORD_FILE=db-password
    mayfly.dev/refresh: 1s
spec:
  serviceAccountName: web
  containers:
  - name: web
    image: registry.example/web:1.4.2
    securityContext:
      runAsNonRoot: true
      runAsUser: 1000
";

/// A pod.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pod(pub(super) Value);

impl Pod {
    /// The example.
    pub(super) fn example() -> Result<Self> {
        serde_saphyr::from_str(MANIFEST).map(Self).context("the example pod is no YAML")
    }

    /// The same as YAML.
    pub(super) fn yaml(&self) -> Result<String> {
        serde_saphyr::to_string(&self.0).context("a pod can be written as YAML")
    }

    /// Its name or its namespace.
    pub(super) fn metadata(&self, field: &str) -> &str {
        self.0["metadata"][field].as_str().unwrap_or_default()
    }

    /// The question of the API server.
    pub(super) fn review(&self, uid: &str) -> Value {
        let pod = json!({"group": "", "version": "v1", "kind": "Pod"});
        let pods = json!({"group": "", "version": "v1", "resource": "pods"});
        json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": uid,
                "kind": pod,
                "resource": pods,
                "requestKind": pod,
                "requestResource": pods,
                "name": self.metadata("name"),
                "namespace": self.metadata("namespace"),
                "operation": "CREATE",
                "userInfo": {"username": "developer", "groups": ["system:authenticated"]},
                "object": self.0,
                "oldObject": null,
                "dryRun": false,
                "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
            },
        })
    }

    /// The pod with the patch of an answer, and the number of its operations; as the API server
    /// does it.
    pub(super) fn patched(&self, response: &Value) -> Result<(Self, usize)> {
        let patch = response["patch"].as_str().context("the answer has no patch")?;
        let patch = BASE64_STANDARD.decode(patch).context("the patch is not base64")?;
        let patch: json_patch::Patch =
            serde_json::from_slice(&patch).context("the patch is no JSON Patch")?;
        let mut pod = self.0.clone();
        json_patch::patch(&mut pod, &patch).context("the patch does not fit the pod")?;
        Ok((Self(pod), patch.0.len()))
    }
}
