//! What has to be on the machine before a cluster can start. A new machine needs Rust, Go, Python 3 and apt, and some
//! minutes; a second start finds everything in the cache.

pub mod debian;
pub mod golang;
pub mod python;
pub mod readers;

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    folders::{Folders, data},
    program::Program,
    progress::say,
};

/// The folders of the built tools.
#[derive(Debug, Clone)]
pub struct Tools {
    kubernetes: PathBuf,
    helm: PathBuf,
    vault: PathBuf,
    moto: PathBuf,
}

impl Tools {
    /// Installs and builds what is missing.
    pub async fn prepare(folders: &Folders) -> Result<Self> {
        debian::install().await?;
        let moto = python::moto(&folders.tools()).await?;
        let kubernetes = golang::KUBERNETES.build(&folders.tools()).await?;
        let vault = golang::VAULT.build(&folders.tools()).await?;
        let helm = golang::HELM.build(&folders.tools()).await?;
        Ok(Self { kubernetes, helm, vault, moto })
    }

    /// One of Kubernetes' programs, by its name.
    pub fn kubernetes(&self, name: &str) -> Program {
        Program::new(self.kubernetes.join(name))
    }

    /// Helm.
    pub fn helm(&self) -> Program {
        Program::new(self.helm.join("helm"))
    }

    /// Vault: the server, the command line and Vault Agent are one program.
    pub fn vault(&self) -> Program {
        Program::new(self.vault.join("vault"))
    }

    /// moto's server.
    pub fn moto(&self) -> Program {
        Program::new(self.moto.join("bin/python")).args(["-m", "moto.server"])
    }

    /// AWS's own client, which knows its API.
    pub fn boto(&self) -> Program {
        Program::new(self.moto.join("bin/python")).args([data("moto/call.py")])
    }

    /// Where `kubectl` is, for people.
    pub fn kubectl_path(&self) -> PathBuf {
        self.kubernetes.join("kubectl")
    }
}

/// Hands out a cached folder; if there is none, makes it beside its place and moves it there when it is complete.
async fn cached<Made>(
    folder: PathBuf,
    what: &str,
    make: impl FnOnce(PathBuf) -> Made,
) -> Result<PathBuf>
where
    Made: Future<Output = Result<()>>,
{
    if !folder.exists() {
        say(format_args!("{what}: building, once"));
        let unfinished = folder.with_extension("unfinished");
        clear(&unfinished)?;
        make(unfinished.clone()).await.with_context(|| format!("build {what}"))?;
        fs::rename(&unfinished, &folder).with_context(|| format!("keep {}", folder.display()))?;
        say(format_args!("{what}: built"));
    }
    Ok(folder)
}

fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))
}
