//! The two programs, and their sizes on disk.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mayfly_tests::measure::binaries;

use crate::Table;

/// Where the built programs are.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) agent: PathBuf,
    pub(crate) webhook: PathBuf,
}

/// Builds both.
pub(crate) fn build() -> Result<Binaries> {
    let programs = ["mayfly-agent", "mayfly-webhook"];
    let folder = binaries::build(&programs)?;
    let [agent, webhook] = programs.map(|program| folder.join(program));
    Ok(Binaries { agent, webhook })
}

impl Binaries {
    /// The sizes on disk.
    pub(crate) fn measure(&self, table: &mut Table) -> Result<()> {
        let (agent, webhook) = (megabytes(&self.agent)?, megabytes(&self.webhook)?);
        table.row([&"agent, static and stripped, on disk", &agent, &"≤ 12 MB"]);
        table.row([&"webhook, static and stripped, on disk", &webhook, &"≤ 10 MB"]);
        Ok(())
    }
}

fn megabytes(path: &Path) -> Result<String> {
    let bytes = path.metadata().with_context(|| format!("{} is missing", path.display()))?.len();
    Ok(format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10))
}
