//! moto, which plays AWS: a Python package in an environment of its own, pinned in `tests/lab/moto/requirements.txt`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cached;
use crate::lab::{folders, program::Program};

/// The version in the requirements, for the cache's name.
const MOTO: &str = "5.2.5";

/// Hands out the environment that has moto.
pub async fn moto(tools: &Path) -> Result<PathBuf> {
    cached(tools.join(format!("moto-{MOTO}")), &format!("moto {MOTO}"), |environment| {
        self::environment(environment, "moto/requirements.txt")
    })
    .await
}

/// Makes an environment that has what a file of the lab's data requires, and nothing else.
pub(super) async fn environment(environment: PathBuf, requirements: &str) -> Result<()> {
    let made = Program::new("python3").args(["-m", "venv"]).args([&environment]).text().await;
    made.context("install Python 3 with its module `venv`")?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ];
    Program::new(environment.join("bin/python"))
        .args(pip)
        .args([folders::data(requirements)])
        .at_home()
        .show()
        .await
}
