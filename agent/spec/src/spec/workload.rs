//! For whom a value is sealed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The `pod` section: a service account, which pods of the same rights share.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workload {
    /// The pod's namespace.
    pub namespace: String,
    /// The name of its service account.
    pub service_account: String,
}

impl Workload {
    /// What KMS calls the encryption context: names and values that a policy can ask for.
    pub fn context(&self) -> [(&'static str, &str); 2] {
        [
            ("mayfly.dev/namespace", &self.namespace),
            ("mayfly.dev/service-account", &self.service_account),
        ]
    }
}

/// `<namespace>/<service account>`.
impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.service_account)
    }
}
