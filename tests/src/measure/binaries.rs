//! Mayfly's programs as the images hold them: release profile, static, stripped.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

/// Where the built programs are.
#[derive(Debug)]
pub struct Binaries {
    /// The agent.
    pub agent: PathBuf,
    /// The webhook.
    pub webhook: PathBuf,
}

/// Builds both, as the Dockerfile does.
pub fn build() -> Result<Binaries> {
    let host = host_triple()?;
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--release", "--target", &host, "--no-default-features"])
        .args(["--package", "mayfly-agent", "--package", "mayfly-webhook"])
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the release build failed");
    let release = target_directory()?.join(host).join("release");
    Ok(Binaries { agent: release.join("mayfly-agent"), webhook: release.join("mayfly-webhook") })
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
    program.ancestors().nth(2).map(Into::into).context("no target directory")
}
