//! A folder that only this agent may write to: opened without following a link, its owner and mode
//! checked, and those of each file in it too.
//!
//! In a pod it is the root of an in-memory volume, which is root's own, open to everybody and
//! sticky: nobody can replace another's file there, and a file that is not ours is not believed.

use std::{
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::DirBuilderExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, FlockOperation, Mode, OFlags, Stat},
    io::Errno,
};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{name, step, writer};
use crate::fault::{Class, Fault};

/// Only the agent's own user.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// An opened folder.
#[derive(Debug)]
pub struct Folder {
    directory: OwnedFd,
    path: PathBuf,
}

/// A folder that cannot be used, or is not believed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It cannot be made.
    #[error(
        "the agent's own folder `{path}` cannot be made: {source}; set `state` to a folder that only the agent may write to"
    )]
    Make {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It cannot be opened.
    #[error(
        "the agent's own folder `{path}` cannot be opened: {source}; it may be no link, and has to belong to the agent's user"
    )]
    Open {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: Errno,
    },
    /// Somebody else could have written it.
    #[error(
        "`{path}` {reason}, so the agent does not believe it; remove it, or set `state` to another folder"
    )]
    Foreign {
        /// The folder, or a file in it.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another agent has it.
    #[error("another mayfly-agent keeps its state in `{0}`; stop it, or choose another `state`")]
    Taken(PathBuf),
    /// A file in it cannot be read or written.
    #[error("`{path}` cannot be {deed}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        deed: &'static str,
        /// Why not.
        source: Errno,
    },
}

impl From<FolderError> for Fault {
    fn from(error: FolderError) -> Self {
        Self::new(Class::Volume, error)
    }
}

impl Folder {
    /// Opens the folder; where there is none yet, makes one that only its owner may enter.
    pub fn make(path: &Path) -> Result<Self, FolderError> {
        if let Some(folder) = Self::open(path)? {
            return Ok(folder);
        }
        let mut maker = std::fs::DirBuilder::new();
        maker.recursive(true).mode(0o700);
        let cannot = |source| FolderError::Make { path: path.to_owned(), source };
        maker.create(path).map_err(cannot)?;
        Self::open(path)?.ok_or_else(|| cannot(std::io::ErrorKind::NotFound.into()))
    }

    /// Opens the folder that is there, if there is one.
    pub fn open(path: &Path) -> Result<Option<Self>, FolderError> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let cannot = |source| FolderError::Open { path: path.to_owned(), source };
        let directory = match rustix::fs::open(path, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            other => other.map_err(cannot)?,
        };
        let stat = rustix::fs::fstat(&directory).map_err(cannot)?;
        match doubt(&stat) {
            None => Ok(Some(Self { directory, path: path.to_owned() })),
            Some(reason) => Err(FolderError::Foreign { path: path.to_owned(), reason }),
        }
    }

    /// Takes the folder for this process alone, as long as it lives.
    pub fn lock(&self) -> Result<(), FolderError> {
        match rustix::fs::flock(&self.directory, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(FolderError::Taken(self.path.clone())),
            // A file system without locks is no reason to stop.
            _ => Ok(()),
        }
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's bytes, if there is one. One that others may write to is refused.
    pub fn read(
        &self,
        name: &str,
        longest: usize,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, FolderError> {
        self.refuse(name)?;
        match step::read(&self.directory, name, longest) {
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(self.fault(name, "read", source)),
            Ok((bytes, stat)) => match file_doubt(&stat) {
                None => Ok(Some(bytes)),
                Some(reason) => Err(FolderError::Foreign { path: self.path.join(name), reason }),
            },
        }
    }

    /// Whether what is at `name` could be another's is told before it is opened.
    pub fn refuse(&self, name: &str) -> Result<(), FolderError> {
        match rustix::fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(()),
            Err(source) => Err(self.fault(name, "read", source)),
            Ok(stat) => match file_doubt(&stat) {
                None => Ok(()),
                Some(reason) => Err(FolderError::Foreign { path: self.path.join(name), reason }),
            },
        }
    }

    /// Replaces the file by one rename.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        writer::replace(&self.directory, name, bytes, PRIVATE, true)
            .map_err(|source| self.fault(name, "written", source))
    }

    /// Replaces the file by one that is locked from its first moment on, until what comes back goes.
    pub fn hold(&self, name: &str, bytes: &[u8]) -> Result<OwnedFd, FolderError> {
        let new = name::temporary();
        let held = writer::create(&self.directory, &new, bytes).and_then(|file| {
            rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            writer::move_over(&self.directory, &new, name)?;
            Ok(file)
        });
        held.map_err(|source| self.fault(name, "written", source))
    }

    /// The file's bytes, if a living process holds it; what a dead one has left is none.
    pub fn read_held(
        &self,
        name: &str,
        longest: usize,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, FolderError> {
        if self.is_held(name)? { self.read(name, longest) } else { Ok(None) }
    }

    fn is_held(&self, name: &str) -> Result<bool, FolderError> {
        self.refuse(name)?;
        let file = match step::open(&self.directory, name) {
            Err(Errno::NOENT) => return Ok(false),
            other => other.map_err(|source| self.fault(name, "read", source))?,
        };
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockShared) {
            Err(Errno::WOULDBLOCK) => Ok(true),
            other => other.map(|()| false).map_err(|source| self.fault(name, "read", source)),
        }
    }

    /// Removes the file, if there is one.
    pub fn remove(&self, name: &str) {
        // What stays is not believed by anybody else, and overwritten by whoever comes next.
        let _ = rustix::fs::unlinkat(&self.directory, name, AtFlags::empty());
    }

    /// Removes what an agent that was killed while it wrote has left.
    pub fn sweep(&self) {
        let names = step::names(&self.directory).unwrap_or_default();
        names.iter().filter(|name| name::is_temporary(name)).for_each(|name| self.remove(name));
    }

    /// A path to `name` that is short, however deep the folder lies: a socket's may not be long.
    pub fn short_path(&self, name: &str) -> PathBuf {
        Path::new("/proc/self/fd").join(self.directory.as_raw_fd().to_string()).join(name)
    }

    fn fault(&self, name: &str, deed: &'static str, source: Errno) -> FolderError {
        FolderError::File { path: self.path.join(name), deed, source }
    }
}

/// Why a folder is not believed to be the agent's alone.
fn doubt(stat: &Stat) -> Option<&'static str> {
    let is_sticky = stat.st_mode & 0o1000 != 0;
    match stat {
        _ if !step::is_own(stat) && stat.st_uid != 0 => Some("belongs to another user"),
        _ if stat.st_mode & 0o022 != 0 && !is_sticky => Some("can be written by others"),
        _ => None,
    }
}

fn file_doubt(stat: &Stat) -> Option<&'static str> {
    use rustix::fs::FileType;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile | FileType::Socket => {}
        _ => return Some("is no file"),
    }
    match stat {
        _ if !step::is_own(stat) => Some("belongs to another user"),
        _ if stat.st_mode & 0o022 != 0 => Some("can be written by others"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the folder is a real one")]

    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }

    #[test]
    fn what_was_written_is_read_and_only_the_owner_may() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::make(&place.path().join("a/b")).expect("a folder");
        assert_eq!(folder.read("memory", 100).expect("nothing"), None);
        folder.write("memory", b"one").expect("written");
        folder.write("memory", b"two").expect("written");
        assert_eq!(folder.read("memory", 100).expect("read").as_deref(), Some(&b"two".to_vec()));
        let seen = |name: &str| fs::metadata(place.path().join(name)).expect(name);
        assert_eq!(seen("a/b").permissions().mode() & 0o777, 0o700);
        assert_eq!(seen("a/b/memory").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(place.path().join("a/b")).expect("a folder").count(), 1);
    }

    #[test]
    fn what_others_could_have_written_is_refused_with_words() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::make(&place.path().join("own")).expect("a folder");
        folder.write("memory", b"ATTACKER").expect("written");
        mode(&place.path().join("own/memory"), 0o660);
        let error = folder.read("memory", 100).expect_err("refused").to_string();
        assert!(error.contains("memory` can be written by others"), "{error}");
        folder.remove("memory");
        symlink("/etc/passwd", place.path().join("own/memory")).expect("linked");
        let error = folder.read("memory", 1 << 20).expect_err("refused").to_string();
        assert!(error.contains("is no file"), "{error}");
        mode(&place.path().join("own"), 0o770);
        assert!(matches!(
            Folder::open(&place.path().join("own")),
            Err(FolderError::Foreign { .. })
        ));
        mode(&place.path().join("own"), 0o1777);
        assert!(Folder::open(&place.path().join("own")).is_ok_and(|folder| folder.is_some()));
        symlink(place.path().join("own"), place.path().join("link")).expect("linked");
        assert!(matches!(Folder::make(&place.path().join("link")), Err(FolderError::Open { .. })));
    }

    #[test]
    fn two_agents_do_not_share_a_folder() {
        let place = tempfile::tempdir().expect("a folder");
        let [one, other] = [(); 2].map(|()| Folder::make(place.path()).expect("a folder"));
        one.lock().expect("locked");
        assert!(matches!(other.lock(), Err(FolderError::Taken(_))));
    }

    #[test]
    fn a_held_file_is_read_as_long_as_it_is_held() {
        let place = tempfile::tempdir().expect("a folder");
        let [one, other] = [(); 2].map(|()| Folder::make(place.path()).expect("a folder"));
        assert_eq!(other.read_held("verdict", 100).expect("nothing"), None);
        let held = one.hold("verdict", b"one").expect("held");
        let read = other.read_held("verdict", 100).expect("read");
        assert_eq!(read.as_deref(), Some(&b"one".to_vec()));
        drop(held);
        assert_eq!(other.read_held("verdict", 100).expect("left behind"), None);
        let _held = one.hold("verdict", b"two").expect("a reader is in nobody's way");
        mode(&place.path().join("verdict"), 0o666);
        assert!(matches!(other.read_held("verdict", 100), Err(FolderError::Foreign { .. })));
    }

    #[test]
    fn what_a_killed_agent_left_is_swept() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::make(place.path()).expect("a folder");
        fs::write(place.path().join(name::temporary()), "half").expect("written");
        folder.write("memory", b"whole").expect("written");
        folder.sweep();
        assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
    }
}
