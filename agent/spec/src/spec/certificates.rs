//! Whom a connection over TLS trusts, and what it shows.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Certificate authorities that are trusted instead of the system's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ca {
    /// A PEM file.
    File(PathBuf),
    /// PEM text; public, and so no secret.
    Pem(String),
}

/// A certificate that the agent shows, and its key; read anew for every connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientCertificate {
    /// The certificate, and those between it and its authority, in PEM.
    pub certificate_file: PathBuf,
    /// Its private key, in PEM.
    pub key_file: PathBuf,
}
