//! The volume: whole generations, switched by one rename, in a directory that others may write to.
//!
//! ```text
//! /run/mayfly/db-password   → ..data/db-password      visible names, made once
//! /run/mayfly/..data        → ..7-1f0c55a2            the present generation, switched by rename
//! /run/mayfly/..7-1f0c55a2/db-password                a file, owned and moded before it is visible
//! /run/mayfly/status.json                             the agent's own word
//! ```
//! This room knows names, modes and owners, never where a value came from. It works on directory
//! descriptors, opens each name by itself and follows no link. What is on the volume steers nothing:
//! which generation is the present one is an argument, and `..data` is only set to it.

mod error;
mod generation;
mod link;
mod name;
mod sweep;

use std::{
    os::{fd::OwnedFd, unix::fs::DirBuilderExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
};

pub use error::DiskError;

use crate::{
    files::{self, FolderError},
    manifest::{GenerationName, Manifest, Wanted},
};
use generation::Present;
use name::DATA;

/// The agent's own word, beside the secrets.
const STATUS: &str = "status.json";
/// Far more than ten thousand references need; a planted giant is not read.
const LONGEST_STATUS: usize = 16 << 20;
const EVERYBODY_READS: Mode = Mode::RUSR.union(Mode::RGRP).union(Mode::ROTH);

/// The directory that the secrets appear in.
#[derive(Debug)]
pub struct Volume {
    directory: OwnedFd,
    path: PathBuf,
    /// Whether nobody else keeps anything in it, so that what is in the way may go.
    is_whole: bool,
}

/// What [`Volume::hold`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The present generation.
    pub manifest: Manifest,
    /// Whether it is a new one.
    pub changed: bool,
}

impl Volume {
    /// Opens the directory; where there is none yet, makes one that only its owner may enter.
    pub fn create(path: &Path) -> Result<Self, DiskError> {
        let mut maker = std::fs::DirBuilder::new();
        maker.recursive(true).mode(0o700);
        let cannot = |source| DiskError::Create { path: path.to_owned(), source };
        maker.create(path).map_err(cannot)?;
        Self::open(path)
    }

    /// Opens the directory that is there.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty())
            .map(|directory| Self { directory, path: path.to_owned(), is_whole: false })
            .map_err(|source| DiskError::Open { path: path.to_owned(), source })
    }

    /// Takes the directory for one that is nobody else's: in a pod, what is in the way was planted.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { is_whole: true, ..self }
    }

    /// Takes the directory for this process alone, as long as it lives.
    pub fn lock(&self) -> Result<(), DiskError> {
        match rustix::fs::flock(&self.directory, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(DiskError::Taken(self.path.clone())),
            // A file system without locks is no reason to stop.
            _ => Ok(()),
        }
    }

    /// Whether everything is there as `manifest` tells it, in a generation of our own.
    pub fn holds(&self, manifest: &Manifest, group: Option<u32>) -> bool {
        manifest.name.is_some_and(|name| {
            generation::holds(&self.directory, name, &manifest.as_wanted(), group)
        })
    }

    /// Whether the visible names lead to the generation of `manifest`.
    pub fn shows(&self, manifest: &Manifest) -> bool {
        let (present, wanted) = (manifest.name.map(|name| name.to_string()), manifest.as_wanted());
        present.is_some()
            && link::target(&self.directory, DATA) == present
            && wanted.tops().into_iter().all(|name| link::is_ours(&self.directory, name))
    }

    /// Makes the volume hold exactly `wanted`, which is not visible yet. Equal content writes
    /// nothing; a failure leaves the `present` generation and nothing else behind. A new one is told
    /// to `remember` before anybody sees it, so that who is killed in between shows it at the next
    /// start.
    pub fn hold(
        &self,
        wanted: &Wanted,
        group: Option<u32>,
        present: &Manifest,
        remember: impl FnOnce(&Manifest) -> Result<(), FolderError>,
    ) -> Result<Applied, DiskError> {
        if !self.is_whole {
            link::refuse_obstacles(&self.directory, wanted)?;
        }
        let same = |name: &GenerationName| generation::holds(&self.directory, *name, wanted, group);
        let (manifest, changed) = match present.name.filter(same) {
            Some(_) => (present.clone(), false),
            None => (self.write(wanted, group, present, remember)?, true),
        };
        Ok(Applied { manifest, changed })
    }

    /// Writes a new generation. Where there is no room, older ones give way before their time.
    fn write(
        &self,
        wanted: &Wanted,
        group: Option<u32>,
        present: &Manifest,
        remember: impl FnOnce(&Manifest) -> Result<(), FolderError>,
    ) -> Result<Manifest, DiskError> {
        let name = GenerationName::after(present.number()).ok_or(DiskError::Numbers)?;
        let forget = |_: &DiskError| files::remove(&self.directory, &name.to_string());
        let write = || {
            let beside = Present::open(&self.directory, present);
            generation::write(&self.directory, name, wanted, group, &beside).inspect_err(forget)
        };
        match write() {
            Err(DiskError::Full { .. }) => {
                self.sweep(present, &[]);
                write()?;
            }
            other => other?,
        }
        let manifest = wanted.manifest(name);
        remember(&manifest).map_err(DiskError::from).inspect_err(forget)?;
        Ok(manifest)
    }

    /// Makes `..data` and the visible names lead to what `manifest` tells of.
    pub fn show(&self, manifest: &Manifest) -> Result<(), DiskError> {
        let name = manifest.name.map(|name| name.to_string()).unwrap_or_default();
        if link::target(&self.directory, DATA).as_ref() != Some(&name) {
            link::switch(&self.directory, DATA, &name)?;
        }
        link::place(&self.directory, &manifest.as_wanted())
    }

    /// The names of what could be swept.
    pub fn leftovers(&self, present: &Manifest) -> Vec<String> {
        let present = present.name.map(|name| name.to_string());
        let mut names = sweep::disposable(&self.directory);
        names.retain(|name| Some(name) != present.as_ref());
        names
    }

    /// Removes older generations and what a killed run left; the present one stays, and so does what
    /// is visible still, and those of `young` whose readers have time yet.
    pub fn sweep(&self, present: &Manifest, young: &[String]) {
        let present = present.name.map(|name| name.to_string());
        let visible = link::target(&self.directory, DATA);
        let keep = |name: &str| {
            let kept = present.iter().chain(&visible).chain(young);
            kept.into_iter().any(|kept| kept == name)
        };
        sweep::sweep(&self.directory, keep);
    }

    /// Replaces the agent's own word.
    pub fn write_status(&self, status: &[u8]) -> Result<(), DiskError> {
        files::replace(&self.directory, STATUS, status, EVERYBODY_READS, self.is_whole)
            .map_err(DiskError::write(STATUS))
    }

    /// Refuses to overwrite what `is_ours` does not know for the agent's own word. Nothing else is
    /// ever done with it.
    pub fn refuse_foreign_status(
        &self,
        is_ours: impl FnOnce(&[u8]) -> bool,
    ) -> Result<(), DiskError> {
        match files::read(&self.directory, STATUS, LONGEST_STATUS) {
            Err(Errno::NOENT) => Ok(()),
            Ok((bytes, stat)) if files::is_own(&stat) && is_ours(&bytes) => Ok(()),
            _ => Err(DiskError::ForeignStatus(self.path.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
