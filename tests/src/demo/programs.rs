//! The two real programs.

use std::path::PathBuf;

use anyhow::Result;

use crate::programs::build;

/// The paths of the two programs.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) webhook: PathBuf,
    pub(super) agent: PathBuf,
}

impl Programs {
    pub(super) async fn build() -> Result<Self> {
        let [webhook, agent] = build(["mayfly-webhook", "mayfly-agent"]).await?;
        Ok(Self { webhook, agent })
    }
}
