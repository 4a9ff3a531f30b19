//! The programs that run: each with a log, each ended by its process id.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{self, Command},
    time::timeout,
};

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// How many lines of a log explain why a program ended.
const TAIL: usize = 5;

/// Every program that was started.
#[derive(Debug, Default)]
pub(super) struct Cast(Vec<Child>);

#[derive(Debug)]
struct Child {
    name: &'static str,
    process: process::Child,
    log: PathBuf,
}

impl Cast {
    /// Starts a program; what it says goes to `log`.
    pub(super) fn start(
        &mut self,
        name: &'static str,
        mut command: Command,
        log: PathBuf,
    ) -> Result<()> {
        let output =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // Ctrl-C is for the demo alone; it ends the others in its own order.
        command.process_group(0).kill_on_drop(true);
        let process = command.spawn().with_context(|| format!("cannot start {name}"))?;
        self.0.push(Child { name, process, log });
        Ok(())
    }

    /// Fails with the end of its log if a program is not there any more.
    pub(super) fn check(&mut self) -> Result<()> {
        for child in &mut self.0 {
            if let Some(status) = child.process.try_wait()? {
                bail!("{} has ended with {status}:\n{}", child.name, child.tail());
            }
        }
        Ok(())
    }

    /// Asks a program to end with SIGTERM, and waits for it.
    pub(super) async fn end(&mut self, name: &str) -> Result<ExitStatus> {
        let at = self.0.iter().position(|child| child.name == name);
        let mut child = self.0.remove(at.with_context(|| format!("{name} does not run"))?);
        child.terminate().await
    }

    /// Ends all that still run, the last started first.
    pub(super) async fn leave(&mut self) {
        while let Some(mut child) = self.0.pop() {
            if child.terminate().await.is_err() {
                child.process.kill().await.ok();
            }
        }
    }
}

impl Child {
    async fn terminate(&mut self) -> Result<ExitStatus> {
        if let Some(pid) = self.process.id() {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            kill_process(pid.context("a process has a positive id")?, Signal::TERM).ok();
        }
        let ended = timeout(GRACE, self.process.wait()).await;
        let ended = ended.with_context(|| format!("{} still runs {GRACE:?} later", self.name))?;
        ended.with_context(|| format!("cannot wait for {}", self.name))
    }

    fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}
