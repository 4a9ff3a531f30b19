//! `cargo pages DIR`: shell completions and man pages of the three programs.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

/// Writes shell completions and man pages of Mayfly's programs.
#[derive(Debug, Parser)]
#[command(name = "cargo pages")]
struct Args {
    /// Where to
    folder: PathBuf,
}

fn main() -> Result<()> {
    let Args { folder } = Args::parse();
    mayfly_tests::pages::write(&folder)
        .with_context(|| format!("writing into {}", folder.display()))
}
