//! The programs that read what Mayfly writes: parsers of pip, npm and Go, systemd's, and the shells of the machine. What
//! is pinned is pinned in `tests/lab/readers`.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tokio::sync::Mutex;

use super::{cached, debian, golang, python};
use crate::lab::{
    folders::{Folders, data},
    program::Program,
};

/// The shells, and the library that has systemd's parser.
const PACKAGES: [&str; 3] = ["busybox-static", "dash", "libsystemd-shared"];

/// Everything that can read a file.
#[derive(Debug, Clone)]
pub struct Readers {
    python: PathBuf,
    node: PathBuf,
    go: PathBuf,
}

impl Readers {
    /// Installs and builds what is missing.
    pub async fn prepare(folders: &Folders) -> Result<Self> {
        // Tests side by side would otherwise make the same folders.
        static TURN: Mutex<()> = Mutex::const_new(());
        let _turn = TURN.lock().await;
        debian::install_all(&PACKAGES).await?;
        for program in ["node", "npm"] {
            install_node(program).await?;
        }
        let tools = folders.tools();
        let python = pinned(&tools, "readers/python/requirements.txt", |folder| {
            python::environment(folder, "readers/python/requirements.txt")
        });
        let node = pinned(&tools, "readers/node/package-lock.json", install_packages);
        let go = golang::READERS.build_again(&tools);
        Ok(Self { python: python.await?, node: node.await?, go: go.await? })
    }

    /// Has a reader read every file of a folder, and hands out what it got.
    pub fn program(&self, reader: &str, folder: &Path) -> Result<Program> {
        let program = match reader {
            "python-dotenv" | "systemd" | "pyyaml" | "ruamel-1.1" | "ruamel-1.2" | "tomllib"
            | "javaproperties" => {
                let python = Program::new(self.python.join("bin/python"));
                python.args([data("readers/python/read.py")]).args([reader])
            }
            "dotenv" | "env-file" | "js-yaml" | "yaml" => Program::new("node")
                .env("NODE_PATH", self.node.join("node_modules"))
                .args([data("readers/node/read.js")])
                .args([reader]),
            "godotenv" | "compose" | "kubelet" | "go-yaml" | "sigs-yaml" | "go-toml" => {
                Program::new(self.go.join("readers")).args([reader])
            }
            "dash" => Program::new(reader).args([data("readers/sh/read.sh")]),
            "busybox" => Program::new(reader).args(["ash"]).args([data("readers/sh/read.sh")]),
            _ => bail!("there is no reader `{reader}`"),
        };
        Ok(program.args([folder]))
    }
}

/// A machine may have a newer Node than Debian's, which then brings its own npm.
async fn install_node(program: &'static str) -> Result<()> {
    if Program::new(program).args(["--version"]).output().await.is_ok() {
        return Ok(());
    }
    debian::install_all(&[if program == "node" { "nodejs" } else { program }]).await
}

/// A folder of the cache whose name changes with the file that pins what is in it.
async fn pinned<Made>(
    tools: &Path,
    pins: &'static str,
    make: impl FnOnce(PathBuf) -> Made,
) -> Result<PathBuf>
where
    Made: Future<Output = Result<()>>,
{
    let mut hasher = DefaultHasher::new();
    fs::read(data(pins)).with_context(|| format!("read {pins}"))?.hash(&mut hasher);
    let name = pins.split('/').take(2).collect::<Vec<_>>().join("-");
    let folder = tools.join(format!("{name}-{:016x}", hasher.finish()));
    cached(folder, &name, make).await
}

async fn install_packages(folder: PathBuf) -> Result<()> {
    for file in ["package.json", "package-lock.json"] {
        fs::copy(data("readers/node").join(file), folder.join(file)).context("copy the pins")?;
    }
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    Program::new("npm").args(npm).folder(&folder).show().await
}
