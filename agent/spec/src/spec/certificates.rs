//! Which certificate authorities a backend's TLS is checked against.

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
