//! The auth methods: as whom the agent logs in to Vault, and what it shows there.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::spec::ClientCertificate;

/// Where Vault's Kubernetes auth method is mounted unless said otherwise.
pub const DEFAULT_KUBERNETES_MOUNT: &str = "kubernetes";
/// Where the JWT auth method is.
pub const DEFAULT_JWT_MOUNT: &str = "jwt";
/// Where the AWS auth method is.
pub const DEFAULT_AWS_MOUNT: &str = "aws";

/// How the agent logs in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VaultAuth {
    /// The pod's service account, by a projected token that Vault has the API server review.
    Kubernetes(KubernetesAuth),
    /// A token that Vault verifies by the issuer's keys: the pod's service account, or a pipeline.
    Jwt(JwtAuth),
    /// The AWS identity of the section `aws`.
    Aws(AwsAuth),
    /// A machine that was given a role id and a secret id.
    Approle(AppRoleAuth),
    /// A client certificate.
    Cert(CertAuth),
    /// A file that holds a Vault token, read anew for every use.
    TokenFile(PathBuf),
}

impl VaultAuth {
    /// The method's name, as in the configuration.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Kubernetes(_) => "kubernetes",
            Self::Jwt(_) => "jwt",
            Self::Aws(_) => "aws",
            Self::Approle(_) => "approle",
            Self::Cert(_) => "cert",
            Self::TokenFile(_) => "token-file",
        }
    }

    /// The name of the role that is logged in to, if it is named.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Kubernetes(auth) => Some(&auth.role),
            Self::Jwt(auth) => Some(&auth.role),
            Self::Aws(auth) => Some(&auth.role),
            Self::Cert(auth) => auth.role.as_deref(),
            Self::Approle(_) | Self::TokenFile(_) => None,
        }
    }
}

/// The `kubernetes` auth method.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KubernetesAuth {
    /// The role to log in to.
    pub role: String,
    /// Where the method is mounted below `auth/`.
    #[serde(default = "kubernetes_mount")]
    pub mount: String,
    /// The service account's token, read anew for every login.
    pub token_file: PathBuf,
}

/// The `jwt` auth method.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JwtAuth {
    /// The role to log in to.
    pub role: String,
    /// Where the method is mounted below `auth/`.
    #[serde(default = "jwt_mount")]
    pub mount: String,
    /// The token, read anew for every login.
    pub token_file: PathBuf,
}

/// The `aws` auth method, of type IAM: Vault has STS say who signed a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwsAuth {
    /// The role to log in to.
    pub role: String,
    /// Where the method is mounted below `auth/`.
    #[serde(default = "aws_mount")]
    pub mount: String,
    /// The region of the STS that Vault asks; absent, STS's global endpoint, as Vault has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Vault's `iam_server_id_header_value`: the request is of no use elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_id: Option<String>,
}

/// The `approle` auth method.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AppRoleAuth {
    /// The role's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// A file that holds it instead, read anew for every login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id_file: Option<PathBuf>,
    /// The secret id, read anew for every login; absent for a role that wants none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_id_file: Option<PathBuf>,
    /// The path at which the secret id was made, for example `auth/approle/role/web/secret-id`: the
    /// file then holds a response-wrapping token of that path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapping_path: Option<String>,
    /// Where the method is mounted below `auth/`.
    #[serde(default = "approle_mount")]
    pub mount: String,
}

/// The `cert` auth method.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CertAuth {
    /// The role to log in to; absent, the first that takes the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Where the method is mounted below `auth/`.
    #[serde(default = "cert_mount")]
    pub mount: String,
    /// The certificate, and those between it and its authority, in PEM.
    pub certificate_file: PathBuf,
    /// Its private key, in PEM.
    pub key_file: PathBuf,
}

impl CertAuth {
    /// What is shown.
    pub fn certificate(&self) -> ClientCertificate {
        let (certificate_file, key_file) = (self.certificate_file.clone(), self.key_file.clone());
        ClientCertificate { certificate_file, key_file }
    }
}

fn kubernetes_mount() -> String {
    DEFAULT_KUBERNETES_MOUNT.to_owned()
}

fn jwt_mount() -> String {
    DEFAULT_JWT_MOUNT.to_owned()
}

fn aws_mount() -> String {
    DEFAULT_AWS_MOUNT.to_owned()
}

fn approle_mount() -> String {
    "approle".to_owned()
}

fn cert_mount() -> String {
    "cert".to_owned()
}
