//! How Vault is reached, and as whom.

mod auth;

use serde::{Deserialize, Serialize};

use super::{Ca, ClientCertificate, Interval};

pub use auth::{
    AppRoleAuth, AwsAuth, CertAuth, DEFAULT_AWS_MOUNT, DEFAULT_JWT_MOUNT, DEFAULT_KUBERNETES_MOUNT,
    JwtAuth, KubernetesAuth, VaultAuth,
};

/// How long an answer of Vault is waited for unless something else is said: as long as Vault's own
/// client waits, because an engine may have to ask others first.
pub const DEFAULT_VAULT_TIMEOUT: Interval = Interval::from_secs(60);

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
    /// The name that the server's certificate is for, and that it is asked for in TLS, where that is
    /// not the address's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// What the agent shows in TLS to a server that wants to know its clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
    /// Whether any certificate of the server is taken: for trying out, never to be relied on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_verify: bool,
    /// How long an answer is waited for; absent, [`DEFAULT_VAULT_TIMEOUT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Interval>,
}

impl Vault {
    /// How long an answer is waited for.
    pub fn patience(&self) -> Interval {
        self.timeout.unwrap_or(DEFAULT_VAULT_TIMEOUT)
    }

    /// Whether the login needs an AWS identity.
    pub fn asks_aws(&self) -> bool {
        matches!(self.auth, VaultAuth::Aws(_))
    }
}
