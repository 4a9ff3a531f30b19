//! The volume: whole generations, switched by one rename, in a directory that others may write to.
//!
//! ```text
//! /run/mayfly/db-password   → ..data/db-password      visible names, made once
//! /run/mayfly/..data        → ..7-1f0c55a2            the present generation, switched by rename
//! /run/mayfly/..7-1f0c55a2/db-password                a file, owned and moded before it is visible
//! /run/mayfly/status.json                             the agent's own word
//! ```
//! This room knows names, modes and owners, never where a value came from. It works on directory
//! descriptors, opens each name by itself and follows no link.

mod entry;
mod error;
mod generation;
mod link;
mod name;
mod status_file;
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

use crate::render::DesiredFiles;
use name::{DATA, GenerationName};

/// The directory that the secrets appear in.
#[derive(Debug)]
pub struct Volume {
    directory: OwnedFd,
    path: PathBuf,
    /// Whether nobody else keeps anything in it, so that what is in the way may go.
    is_whole: bool,
}

/// What [`Volume::apply`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The number of the present generation.
    pub generation: u64,
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

    /// The number of the present generation, if it is one of ours and every name in `expected` is
    /// there as a file or directory of our own.
    pub fn adopt<'a>(
        &self,
        expected: impl IntoIterator<Item = &'a mayfly_spec::FilePath>,
    ) -> Option<u64> {
        let name = self.present()?;
        let generation = entry::open_own_directory(&self.directory, &name.to_string()).ok()?;
        let complete = expected.into_iter().all(|path| {
            let visible = link::is_ours(&self.directory, path.top());
            visible && entry::is_there(&generation, path)
        });
        complete.then_some(name.number)
    }

    /// Makes the volume hold exactly `desired`. Equal content writes nothing; a failure leaves the
    /// present generation visible and nothing else behind. The new number is above `last`.
    pub fn apply(
        &self,
        desired: &DesiredFiles,
        group: Option<u32>,
        last: u64,
    ) -> Result<Applied, DiskError> {
        if !self.is_whole {
            link::refuse_obstacles(&self.directory, desired)?;
        }
        let present = self.present();
        let (name, changed) = match present {
            Some(name) if generation::holds(&self.directory, name, desired, group) => (name, false),
            present => {
                self.sweep();
                let number = present.map_or(last, |name| name.number.max(last)) + 1;
                (self.replace(number, desired, group)?, true)
            }
        };
        link::place(&self.directory, desired)?;
        Ok(Applied { generation: name.number, changed })
    }

    fn replace(
        &self,
        number: u64,
        desired: &DesiredFiles,
        group: Option<u32>,
    ) -> Result<GenerationName, DiskError> {
        let name = GenerationName::new(number);
        generation::write(&self.directory, name, desired, group)
            .and_then(|()| link::switch(&self.directory, DATA, &name.to_string()))
            .inspect_err(|_| entry::remove(&self.directory, &name.to_string()))
            .map(|()| name)
    }

    /// Removes older generations and what a killed run left; the present one stays.
    pub fn sweep(&self) {
        sweep::sweep(&self.directory, self.present());
    }

    /// The agent's own word, as it was last written.
    pub fn read_status(&self) -> Option<Vec<u8>> {
        status_file::read(&self.directory)
    }

    /// Replaces the agent's own word.
    pub fn write_status(&self, status: &[u8]) -> Result<(), DiskError> {
        status_file::write(&self.directory, status)
    }

    /// Where `..data` leads, if that is a generation's name and not a place elsewhere.
    fn present(&self) -> Option<GenerationName> {
        link::target(&self.directory, DATA)?.parse().ok()
    }
}

#[cfg(test)]
mod tests;
