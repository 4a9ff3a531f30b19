//! The sizes of the two programs on disk.

use std::path::Path;

use anyhow::{Context, Result};
use mayfly_tests::measure::binaries::Binaries;

use crate::Table;

/// Measures both.
pub(crate) fn measure(binaries: &Binaries, table: &mut Table) -> Result<()> {
    let (agent, webhook) = (megabytes(&binaries.agent)?, megabytes(&binaries.webhook)?);
    table.row([&"agent, static and stripped, on disk", &agent, &"≤ 12 MB"]);
    table.row([&"webhook, static and stripped, on disk", &webhook, &"≤ 10 MB"]);
    Ok(())
}

fn megabytes(path: &Path) -> Result<String> {
    let bytes = path.metadata().with_context(|| format!("{} is missing", path.display()))?.len();
    Ok(format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10))
}
