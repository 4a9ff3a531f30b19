//! Programs that stay. Each writes to a log of its own and stands in a ledger with its process id and start time, so
//! that a later run can end what this one left, and nothing else.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde::{Deserialize, Serialize};

use super::{condition::eventually, folders, folders::Folders, program::Program};

/// How long a program may take to end when it was told to, before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// How much of a log explains why a program ended.
const TAIL: usize = 12;

/// Whether no more programs may start; held while one does.
static CLOSED: Mutex<bool> = Mutex::new(false);

/// Lets no more programs start, and returns when none is about to: what is in the ledger then is all.
pub fn close() {
    *CLOSED.lock().unwrap_or_else(PoisonError::into_inner) = true;
}

/// The programs of one lab.
#[derive(Debug)]
pub struct Daemons {
    ledger: PathBuf,
    logs: PathBuf,
    entries: Mutex<Vec<Entry>>,
}

/// One started program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    name: String,
    pid: i32,
    /// In the kernel's ticks since boot: with the id it names one process and no later one.
    started: u64,
}

impl Daemons {
    /// Opens the ledger, with whatever an earlier run has left in it.
    pub fn open(folders: &Folders) -> Result<Self> {
        let ledger = folders.cluster().join("processes.json");
        let entries = match fs::read(&ledger) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("read {}", ledger.display()))?,
            Err(_) => vec![],
        };
        Ok(Self { ledger, logs: folders.logs(), entries: Mutex::new(entries) })
    }

    /// Starts a program under a name.
    pub fn start(&self, name: &str, program: &Program) -> Result<()> {
        let closed = CLOSED.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(!*closed, "{name} is not started any more");
        let log = File::options().create(true).append(true).open(self.log(name));
        let log = log.with_context(|| format!("open the log of {name}"))?;
        let child = Command::new(program.path())
            .args(program.arguments())
            .envs(program.environment())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name} ({})", program.path().display()))?;
        let pid = i32::try_from(child.id())?;
        let started = start_time(pid).with_context(|| format!("{name} ended at once"))?;
        self.change(|entries| {
            entries.push(Entry { name: name.to_owned(), pid, started });
        })
    }

    /// Ends a program, politely first.
    pub async fn stop(&self, name: &str) -> Result<()> {
        self.signal(name, Signal::TERM)?;
        if self.ended(name).await.is_err() {
            self.kill(name).await?;
        }
        self.change(|entries| entries.retain(|entry| entry.name != name))
    }

    /// Kills a program and leaves it in the ledger's past.
    pub async fn kill(&self, name: &str) -> Result<()> {
        self.signal(name, Signal::KILL)?;
        self.ended(name).await?;
        self.change(|entries| entries.retain(|entry| entry.name != name))
    }

    /// Sends a signal to a program.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        for entry in self.entries().into_iter().filter(|entry| entry.name == name && entry.lives())
        {
            let pid = Pid::from_raw(entry.pid).context("a process has a positive id")?;
            kill_process(pid, signal).with_context(|| format!("signal {name}"))?;
        }
        Ok(())
    }

    /// Fails with the end of its log if a program is not there any more.
    pub fn check(&self) -> Result<()> {
        match self.entries().into_iter().find(|entry| !entry.lives()) {
            Some(Entry { name, .. }) => {
                bail!("{name} has ended; the end of its log:\n{}", tail(&self.log(&name)))
            }
            None => Ok(()),
        }
    }

    /// Whether there is anything, and all of it runs.
    pub fn all_live(&self) -> bool {
        let entries = self.entries();
        !entries.is_empty() && entries.iter().all(Entry::lives)
    }

    /// The names of all programs, the last started first.
    pub fn names(&self) -> Vec<String> {
        self.entries().into_iter().rev().map(|entry| entry.name).collect()
    }

    /// The process id of a running program.
    pub fn pid(&self, name: &str) -> Option<i32> {
        self.entries()
            .into_iter()
            .find(|entry| entry.name == name && entry.lives())
            .map(|entry| entry.pid)
    }

    /// Where a program's log is.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    async fn ended(&self, name: &str) -> Result<()> {
        eventually(&format!("{name} to end"), GRACE, || async {
            for entry in self.entries().into_iter().filter(|entry| entry.name == name) {
                ensure!(entry.is_gone(), "it still runs");
            }
            Ok(())
        })
        .await
    }

    fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<()> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut entries);
        folders::write(&self.ledger, serde_json::to_vec_pretty(&*entries)?)
    }
}

impl Entry {
    fn lives(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    /// Whether not even its remains are left; those of a child are for its parent to clear away.
    fn is_gone(&self) -> bool {
        match waitpid(Pid::from_raw(self.pid), WaitOptions::NOHANG) {
            Ok(remains) => remains.is_some(),
            Err(_) => !self.lives(),
        }
    }
}

/// When a process started, in ticks since boot; none if there is no such process or only its remains.
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the name, is in brackets and may contain anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    // Of the whole line it is field 22; three are consumed.
    fields.nth(18)?.parse().ok().filter(|_| state != "Z")
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
