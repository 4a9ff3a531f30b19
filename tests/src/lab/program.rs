//! Programs that run to their end. What they say on failure becomes the error; Ctrl-C ends the ones under way.
//! Programs that stay are [`super::daemon`]'s.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::folders;

/// No program of the lab may hang for longer; the longest is a cold build of Kubernetes.
const LIMIT: Duration = Duration::from_mins(45);

/// The process groups under way, for [`end_all`].
static UNDER_WAY: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A program with its arguments.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    input: Vec<u8>,
    keeps_home: bool,
}

impl Program {
    /// The program of that path, or of that name in the search path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: vec![],
            environment: vec![],
            folder: None,
            input: vec![],
            keeps_home: false,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().into(), value.as_ref().into()));
        self
    }

    /// Leaves it the person's own home folder, where tools that build keep what they have built and are told how to.
    #[must_use]
    pub fn at_home(mut self) -> Self {
        self.keeps_home = true;
        self
    }

    /// Runs in that folder.
    #[must_use]
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().into());
        self
    }

    /// Gives it something to read.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Runs it and hands back whatever came of it.
    pub async fn output(self) -> Result<Output> {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("start {}", self.path.display()))?;
        let _guard = Guard::new(child.id());
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its input to the end says so by its exit status.
            let _ = stdin.write_all(&self.input).await;
        }
        let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
        output
            .with_context(|| format!("{self} took longer than {LIMIT:?}"))?
            .with_context(|| format!("wait for {self}"))
    }

    /// Runs it and hands back what it printed; fails with what it complained about.
    pub async fn text(self) -> Result<String> {
        let line = self.to_string();
        let output = self.output().await?;
        if !output.status.success() {
            bail!(
                "{line}: {}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it before the person's eyes.
    pub async fn show(self) -> Result<()> {
        let mut command = self.command();
        command.stdin(Stdio::null());
        let mut child =
            command.spawn().with_context(|| format!("start {}", self.path.display()))?;
        let _guard = Guard::new(child.id());
        let status = child.wait().await.with_context(|| format!("wait for {self}"))?;
        if !status.success() {
            bail!("{self}: {status}");
        }
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).envs(self.environment());
        command.process_group(0).kill_on_drop(true);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// The program itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// What is added to this program's own environment; what was set last holds.
    pub(super) fn environment(&self) -> impl Iterator<Item = (OsString, OsString)> {
        let home = || (OsString::from("HOME"), folders::home().into_os_string());
        let home = (!self.keeps_home).then(home);
        home.into_iter().chain(self.environment.iter().cloned())
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        write!(f, "`{}", name.display())?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", argument.display()))?;
        f.write_str("`")
    }
}

/// Ends every program that is under way, with all that it has started.
pub fn end_all() {
    for &group in &*UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) {
        if let Some(pid) = Pid::from_raw(group) {
            let _ = kill_process_group(pid, Signal::TERM);
        }
    }
}

/// Keeps a process group in [`UNDER_WAY`] for as long as it runs.
struct Guard(Option<i32>);

impl Guard {
    fn new(pid: Option<u32>) -> Self {
        let group = pid.and_then(|pid| i32::try_from(pid).ok());
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).extend(group);
        Self(group)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).remove(&group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::folders::checkout;

    #[tokio::test]
    async fn the_home_of_what_is_started_lies_outside_the_checkout() {
        let echo = || Program::new("sh").args(["-c", "printf %s \"$HOME\""]);
        let home = PathBuf::from(echo().text().await.expect("a shell"));
        assert!(home.is_absolute() && !home.starts_with(checkout()), "{}", home.display());
        assert_eq!(echo().env("HOME", "/there").text().await.expect("a shell"), "/there");
        let own = std::env::var("HOME").unwrap_or_default();
        assert_eq!(echo().at_home().text().await.expect("a shell"), own);
    }
}
