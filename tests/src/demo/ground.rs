//! Where things lie: one folder for the pod and the webhook's files, and the logs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::programs;

/// In memory, as a pod's volume is; the system's usual folder where there is no such thing.
const MEMORY: &str = "/dev/shm";

/// The demo's folders.
#[derive(Debug)]
pub(super) struct Ground {
    folder: TempDir,
    logs: PathBuf,
}

impl Ground {
    /// Makes them. The logs lie beside the programs, so that they outlive the demo.
    pub(super) fn new() -> Result<Self> {
        let mut folder = tempfile::Builder::new();
        folder.prefix("mayfly-demo-");
        let folder = folder.tempdir_in(MEMORY).or_else(|_| folder.tempdir());
        let folder = folder.context("cannot make a folder for the demo")?;
        let logs = programs::folder()?.join("demo-logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        Ok(Self { folder, logs })
    }

    /// What stands in for the pod's `/`.
    pub(super) fn pod(&self) -> PathBuf {
        self.folder.path().join("pod")
    }

    /// The webhook's own files.
    pub(super) fn webhook(&self) -> PathBuf {
        self.folder.path().join("webhook")
    }

    /// Where the logs lie.
    pub(super) fn logs(&self) -> &Path {
        &self.logs
    }

    /// Removes everything but the logs.
    pub(super) fn clear(self) -> Result<()> {
        self.folder.close().context("cannot remove the demo's folder")
    }
}
