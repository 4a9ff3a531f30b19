//! The two programs as the images hold them: release profile, static, stripped.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::table::Table;

/// Where the built programs are.
#[derive(Debug)]
pub(crate) struct Binaries {
    pub(crate) agent: PathBuf,
    pub(crate) webhook: PathBuf,
}

/// Builds both, as the Dockerfile does.
pub(crate) fn build() -> Result<Binaries> {
    let host = host_triple()?;
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--release", "--target", &host])
        .args(["--package", "mayfly-agent", "--package", "mayfly-webhook"])
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the release build failed");
    let release = target_directory()?.join(host).join("release");
    Ok(Binaries { agent: release.join("mayfly-agent"), webhook: release.join("mayfly-webhook") })
}

impl Binaries {
    /// The sizes on disk.
    pub(crate) fn measure(&self, table: &mut Table) -> Result<()> {
        table.row("agent, static and stripped, on disk", megabytes(&self.agent)?, "≤ 12 MB");
        table.row("webhook, static and stripped, on disk", megabytes(&self.webhook)?, "≤ 10 MB");
        Ok(())
    }
}

fn megabytes(path: &Path) -> Result<String> {
    let bytes = path.metadata().with_context(|| format!("{} is missing", path.display()))?.len();
    Ok(format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10))
}

fn host_triple() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

/// This program lies in `<target>/<profile>/`.
fn target_directory() -> Result<PathBuf> {
    let program = env::current_exe()?;
    program.ancestors().nth(2).map(Path::to_path_buf).context("no target directory")
}
