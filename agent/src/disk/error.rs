//! What can be wrong with the volume.

use std::path::PathBuf;

use rustix::io::Errno;
use thiserror::Error;

use crate::{
    fault::{Class, Fault},
    files::FolderError,
    manifest::{Wanted, WantedFile},
};

/// The volume cannot be written. What was good on it is still there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The directory cannot be made.
    #[error("the directory `{path}` cannot be made")]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The directory cannot be opened.
    #[error("the directory `{path}` cannot be opened")]
    Open {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: Errno,
    },
    /// Another agent works in the directory.
    #[error("another mayfly-agent is at work in `{0}`; stop it, or choose another `directory`")]
    Taken(PathBuf),
    /// Something at a name that the agent needs.
    #[error(
        "`{0}` is in the way: it is not a link of this agent's; remove it, or choose another name"
    )]
    InTheWay(String),
    /// A person's own file where the agent tells its state.
    #[error(
        "`status.json` in `{0}` is not this agent's, and it writes one there; move it away, or choose another `directory`"
    )]
    ForeignStatus(PathBuf),
    /// A file that cannot be made anew, and is no more as it was written.
    #[error(
        "`{0}` was changed on the volume, and there is nothing to make it from until its secret is read"
    )]
    Lost(String),
    /// The numbers are at an end.
    #[error("there is no number after the present generation's; empty the directory")]
    Numbers,
    /// What the agent remembers cannot be kept.
    #[error(transparent)]
    Memory(#[from] FolderError),
    /// No room.
    #[error(
        "the volume has no room for the new generation beside the present one: {files} files of {bytes} bytes together, {pages} bytes in pages; make it larger (`mayfly.dev/volume-size`)"
    )]
    Full {
        /// How many files it has that are not in the present one.
        files: usize,
        /// What they hold.
        bytes: usize,
        /// What they take in memory, where each begins a new page.
        pages: usize,
        /// What the system said.
        source: Errno,
    },
    /// The group of a file cannot be set.
    #[error(
        "`{name}` cannot be given to the group {group}; the agent must be a member of it (`fsGroup`)"
    )]
    Group {
        /// The file.
        name: String,
        /// The group.
        group: u32,
        /// What the system said.
        source: Errno,
    },
    /// Anything else.
    #[error("`{name}` cannot be written")]
    Write {
        /// The file or directory.
        name: String,
        /// What the system said.
        source: Errno,
    },
}

impl DiskError {
    /// The error of a step that made or moved `name`.
    pub(super) fn write(name: impl ToString) -> impl FnOnce(Errno) -> Self {
        move |source| Self::Write { name: name.to_string(), source }
    }

    /// The same error, told as a lack of room for what is `wanted` if it is one.
    pub(super) fn or_full(self, wanted: &Wanted) -> Self {
        const PAGE: usize = 4096;
        let Self::Write { source: source @ (Errno::NOSPC | Errno::DQUOT), .. } = self else {
            return self;
        };
        let made = || wanted.files.values().filter(|file| matches!(file, WantedFile::Made(_)));
        let sizes = || made().map(WantedFile::bytes);
        let pages = sizes().map(|bytes| bytes.div_ceil(PAGE) * PAGE).sum();
        Self::Full { files: made().count(), bytes: sizes().sum(), pages, source }
    }
}

impl From<DiskError> for Fault {
    fn from(error: DiskError) -> Self {
        let source = match &error {
            // Its words tell the cause.
            DiskError::Memory(_) => None,
            error => std::error::Error::source(error),
        };
        let words = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        Self::new(Class::Volume, words)
    }
}
