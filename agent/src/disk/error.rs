//! What can be wrong with the volume.

use std::path::PathBuf;

use rustix::io::Errno;
use thiserror::Error;

use crate::fault::{Class, Fault};

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
    /// No room.
    #[error(
        "the volume has no room for {bytes} bytes beside the present files; make it larger (`mayfly.dev/volume-size`)"
    )]
    Full {
        /// What the new generation needs.
        bytes: u64,
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

    /// The same error, told as a lack of room if it is one.
    pub(super) fn or_full(self, bytes: u64) -> Self {
        match self {
            Self::Write { source: source @ (Errno::NOSPC | Errno::DQUOT), .. } => {
                Self::Full { bytes, source }
            }
            other => other,
        }
    }
}

impl From<DiskError> for Fault {
    fn from(error: DiskError) -> Self {
        let source = std::error::Error::source(&error);
        let words = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        Self::new(Class::Volume, words)
    }
}
