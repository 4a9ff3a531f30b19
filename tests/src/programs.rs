//! Mayfly's programs on this machine, built as this one was.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// The folder that this program lies in, and the others after they are built.
pub fn folder() -> Result<PathBuf> {
    let this = env::current_exe().context("cannot find out where this program lies")?;
    this.parent().map(Path::to_owned).context("this program lies nowhere")
}

/// Builds what has changed, and gives the programs' paths. Cargo's progress goes to the terminal.
pub async fn build<const N: usize>(packages: [&str; N]) -> Result<[PathBuf; N]> {
    let folder = folder()?;
    let target = folder.parent().context("this program lies in no target folder")?;
    let built = cargo(target, &packages).status().await.context("cannot run cargo")?;
    ensure!(built.success(), "the programs cannot be built: cargo says why above");
    let programs = packages.map(|package| folder.join(package));
    for program in &programs {
        ensure!(program.exists(), "cargo has not built {}", program.display());
    }
    Ok(programs)
}

fn cargo(target: &Path, packages: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("build")
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .args((!cfg!(debug_assertions)).then_some("--release"))
        .arg("--target-dir")
        .arg(target)
        .kill_on_drop(true);
    cargo
}
