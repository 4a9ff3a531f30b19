//! How Vault is reached, and as whom.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Ca;

/// Where Vault's Kubernetes auth method is mounted unless said otherwise.
pub const DEFAULT_KUBERNETES_MOUNT: &str = "kubernetes";

/// The `vault` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vault {
    /// The server's URL, for example `https://vault.example:8200`.
    pub address: String,
    /// The namespace of Vault Enterprise or OpenBao.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How the agent logs in.
    pub auth: VaultAuth,
    /// Certificate authorities instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Ca>,
}

/// How the agent logs in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VaultAuth {
    /// The pod's service account, by a projected token.
    Kubernetes(KubernetesAuth),
    /// A file that holds a Vault token, read anew for every use.
    TokenFile(PathBuf),
}

/// The `kubernetes` auth method.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KubernetesAuth {
    /// The role to log in to.
    pub role: String,
    /// Where the method is mounted below `auth/`.
    #[serde(default = "default_mount")]
    pub mount: String,
    /// The service account's token, read anew for every login.
    pub token_file: PathBuf,
}

fn default_mount() -> String {
    DEFAULT_KUBERNETES_MOUNT.to_owned()
}
