//! The configuration as the value of one environment variable.

use thiserror::Error;

use super::Spec;

/// The longest value, in bytes: below the 128 KiB that Linux takes for one variable, with room for
/// its name.
pub const LONGEST: usize = 120 * 1024;

/// A value of `MAYFLY_CONFIG` that cannot be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// Longer than [`LONGEST`].
    #[error(
        "the agent's configuration is {0} bytes long; at most {LONGEST} fit into one environment variable"
    )]
    Long(usize),
    /// Not JSON, or not this JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Spec {
    /// Compact JSON in which `$` is written as `\u0024`, because the kubelet expands `$(…)` and `$$`.
    pub fn to_environment(&self) -> Result<String, EnvironmentError> {
        let json = serde_json::to_string(self)?.replace('$', "\\u0024");
        if json.len() > LONGEST { Err(EnvironmentError::Long(json.len())) } else { Ok(json) }
    }

    /// The inverse of [`Spec::to_environment`].
    pub fn from_environment(json: &str) -> Result<Self, EnvironmentError> {
        Ok(serde_json::from_str(json)?)
    }
}
