//! The agent on the machine itself, as a tenant's service account: for what a pod would only make slower.
#![expect(clippy::disallowed_methods, reason = "a program and its files are looked at")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use mayfly_tests::lab::{
    condition::{PATIENCE, eventually},
    program::Program,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tenant::Tenant;

/// An agent's configuration, token, files and state, in a folder of its own.
#[derive(Debug)]
pub(super) struct Machine {
    folder: TempDir,
    program: Program,
}

impl Machine {
    /// Prepares an agent that wants `files` as a tenant.
    pub(super) async fn new(tenant: &Tenant<'_>, files: Value) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        fs::write(at("token"), tenant.namespace.token("default", None).await?)?;
        fs::create_dir(at("state"))?;
        let authority = tenant.cluster.lab().pki().authority_certificate();
        let auth =
            json!({"kubernetes": {"role": tenant.namespace.name(), "token-file": at("token")}});
        let config = json!({
            "version": 1, "directory": at("files"), "state": at("state"), "files": files,
            "vault": {"address": tenant.cluster.vault().address(), "auth": auth,
                      "ca": {"pem": fs::read_to_string(authority)?}},
        });
        fs::write(at("agent.json"), config.to_string())?;
        Ok(Self { folder, program: tenant.cluster.agent()? })
    }

    /// Runs `once`: its exit code, and what it said.
    pub(super) async fn once(&self) -> Result<(Option<i32>, String)> {
        let output = self.program.clone().args(["once", "--config"]).args([self.config()]);
        let output = output.output().await?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8_lossy(&said).into_owned()))
    }

    /// Starts `run` and waits until it has its files.
    pub(super) async fn run(&self) -> Result<Running> {
        // What one before it has said of itself is not this one's.
        let _ = fs::remove_file(self.folder.path().join("files/status.json"));
        let mut command = Command::new(self.program.path());
        command.arg("run").arg("--config").arg(self.config()).env("HOME", self.folder.path());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut running = Running(child.context("start the agent")?);
        let complete = || async {
            let status = self.file("status.json").unwrap_or_default();
            let status: Value = serde_json::from_str(&status).unwrap_or(Value::Null);
            ensure!(status["state"] == "ready", "the status is {status}");
            Ok(())
        };
        let outcome = eventually("the agent's files", PATIENCE, complete).await;
        let ended = running.0.try_wait()?;
        outcome.with_context(|| format!("the agent's end is {ended:?}"))?;
        Ok(running)
    }

    /// One of the files.
    pub(super) fn file(&self, name: &str) -> Result<String> {
        let path = self.folder.path().join("files").join(name);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }

    fn config(&self) -> PathBuf {
        Path::new(self.folder.path()).join("agent.json")
    }
}

/// A running agent, which is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for one that has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
