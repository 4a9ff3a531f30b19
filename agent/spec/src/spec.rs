//! The agent's whole configuration: what the webhook puts into `MAYFLY_CONFIG`, what a person
//! writes into a file.

mod aws;
mod certificates;
mod environment;
mod interval;
mod plain_http;
mod vault;
mod workload;

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

pub use aws::{Aws, Identity};
pub use certificates::{Ca, ClientCertificate};
pub use environment::{EnvironmentError, LONGEST};
pub use interval::{Interval, IntervalError};
pub use plain_http::is_plain_http;
pub use vault::{
    AppRoleAuth, AwsAuth, CertAuth, DEFAULT_AWS_MOUNT, DEFAULT_JWT_MOUNT, DEFAULT_KUBERNETES_MOUNT,
    DEFAULT_VAULT_TIMEOUT, JwtAuth, KubernetesAuth, Vault, VaultAuth,
};
pub use workload::Workload;

use crate::file::{FileMode, Files};

/// The schema's version: the only one that there is.
pub const VERSION: u32 = 1;

/// The agent's configuration.
///
/// In JSON and YAML the names are in kebab-case; a field that is not known is an error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// The schema's version, [`VERSION`].
    #[serde(deserialize_with = "version")]
    pub version: u32,
    /// Where the files appear.
    pub directory: PathBuf,
    /// How the agent is placed in a pod; absent outside one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whose sealed values are opened, outside a pod; a pod knows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Workload>,
    /// A folder that only the agent may write to, for what has to survive its own end: what it has
    /// written, which versions it has seen, and Vault's tokens and leases. Best one in memory, such as
    /// below `$XDG_RUNTIME_DIR`. Absent, the first two are kept beside the files, in `..agent`, and in
    /// a pod where the webhook mounts a volume for it; the last then end with the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PathBuf>,
    /// How to reach AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Aws>,
    /// How to reach Vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<Vault>,
    /// The addresses of the sections above that may be asked over plain HTTP from a pod; what is
    /// not here, nor on the loopback, has to be `https`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plain_http: Vec<String>,
    /// What to write.
    pub files: Files,
    /// Who may read what is written.
    #[serde(default, skip_serializing_if = "Access::is_default")]
    pub access: Access,
    /// When to look for new versions.
    #[serde(default)]
    pub refresh: Refresh,
    /// How long the start may take.
    #[serde(default)]
    pub start: Start,
}

/// How the agent is placed in a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A native sidecar: gates the start, refreshes, gives its token back at the end.
    Sidecar,
    /// An init container: once, no refresh.
    Init,
    /// The first regular container: goes on trying, never ends by itself.
    Parallel,
}

impl Mode {
    /// The value of the annotation `mayfly.dev/mode`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Init => "init",
            Self::Parallel => "parallel",
        }
    }
}

/// The owner's side of the files: modes and group where an entry names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Access {
    /// The mode of each file that names none.
    pub mode: FileMode,
    /// The group that the files are given to; absent leaves the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
}

impl Access {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Readable by the agent's own user only.
impl Default for Access {
    fn default() -> Self {
        Self { mode: FileMode::OWNER, group: None }
    }
}

/// When to look for new versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Refresh {
    /// The time between two looks, before jitter.
    pub interval: Interval,
}

/// Five minutes, as Vault Agent has it.
impl Default for Refresh {
    fn default() -> Self {
        Self { interval: Interval::from_secs(300) }
    }
}

/// How long the start may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Start {
    /// The time in which the first generation must be complete, from the agent's start.
    pub deadline: Interval,
}

impl Default for Start {
    fn default() -> Self {
        Self { deadline: Interval::from_secs(30) }
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        other => Err(serde::de::Error::custom(format_args!(
            "version {other} of the configuration is not known to this agent; it reads version {VERSION}"
        ))),
    }
}

#[cfg(test)]
mod tests;
