//! Mayfly's programs as the images hold them: release profile, static, stripped.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

/// Builds some of the programs, as the Dockerfile does, and hands out their folder.
pub fn build(programs: &[&str]) -> Result<PathBuf> {
    let host = host_triple()?;
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--release", "--target", &host])
        .args(programs.iter().flat_map(|program| ["--package", program]))
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the release build failed");
    Ok(target_directory()?.join(host).join("release"))
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
