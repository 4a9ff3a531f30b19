//! Who asks: a pod, by what a rule may select it by.
//!
//! PURE.

use serde_json::Value;

use super::Namespace;
use crate::pod::text;

/// The service account of a pod that names none.
const DEFAULT_SERVICE_ACCOUNT: &str = "default";

/// A pod in its namespace.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Where the pod is created.
    pub namespace: &'a Namespace,
    pod: &'a Value,
}

impl<'a> Subject<'a> {
    /// The pod, or the template of one, in `namespace`.
    pub fn new(namespace: &'a Namespace, pod: &'a Value) -> Self {
        Self { namespace, pod }
    }

    /// The name of the pod's service account.
    pub fn service_account(&self) -> &'a str {
        let spec = self.pod.get("spec").unwrap_or(&Value::Null);
        // The second is the older name of the first, which the API server fills in.
        let names = ["serviceAccountName", "serviceAccount"].map(|field| text(spec, field));
        names.into_iter().find(|name| !name.is_empty()).unwrap_or(DEFAULT_SERVICE_ACCOUNT)
    }

    /// The pod's label `key`.
    pub(super) fn label(&self, key: &str) -> Option<&'a str> {
        self.pod.get("metadata")?.get("labels")?.get(key)?.as_str()
    }
}
