//! The two real programs, built as this one was.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::ground::programs_folder;

/// The paths of the two programs.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) webhook: PathBuf,
    pub(super) agent: PathBuf,
}

impl Programs {
    /// Builds what has changed. Cargo's progress goes to the terminal.
    pub(super) async fn build() -> Result<Self> {
        let folder = programs_folder()?;
        let target = folder.parent().context("this program lies in no target folder")?;
        let built = cargo(target).status().await.context("cannot run cargo")?;
        ensure!(built.success(), "the programs cannot be built: cargo says why above");
        let (webhook, agent) = (folder.join("mayfly-webhook"), folder.join("mayfly-agent"));
        for program in [&webhook, &agent] {
            ensure!(program.exists(), "cargo has not built {}", program.display());
        }
        Ok(Self { webhook, agent })
    }
}

fn cargo(target: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--package", "mayfly-webhook", "--package", "mayfly-agent"])
        .args((!cfg!(debug_assertions)).then_some("--release"))
        .arg("--target-dir")
        .arg(target)
        .kill_on_drop(true);
    cargo
}
