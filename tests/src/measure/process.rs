//! A program under measurement: its memory, and its end with the measurement.

use std::{fs, process::Child};

use anyhow::{Context, Result};

/// A child process that is killed when it is dropped.
#[derive(Debug)]
pub struct Process(pub Child);

/// Memory in KiB, as `/proc/<pid>/status` tells it.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Everything resident, the program's own pages included.
    pub resident: u64,
    /// What no file stands behind: heap and stacks.
    pub anonymous: u64,
    /// The most that was ever resident.
    pub peak: u64,
}

impl Process {
    /// What the process holds now.
    pub fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let digits = line.and_then(|line| line.split_whitespace().next());
            digits.and_then(|digits| digits.parse().ok()).context("no such field in the status")
        };
        let (resident, anonymous) = (field("VmRSS:")?, field("RssAnon:")?);
        Ok(Memory { resident, anonymous, peak: field("VmHWM:")? })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended by itself; both errors then say so.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// KiB as MiB with one digit.
pub fn mebibytes(kibibytes: u64) -> String {
    format!("{}.{} MiB", kibibytes / 1024, kibibytes % 1024 * 10 / 1024)
}
