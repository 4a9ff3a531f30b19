//! One generation's directory: written as a whole, compared as a whole.

use std::{
    collections::BTreeSet,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use mayfly_spec::FilePath;
use rustix::{
    fs::{Gid, Mode, OFlags},
    io::Errno,
};

use super::{DiskError, entry, name::GenerationName};
use crate::render::{DesiredFile, DesiredFiles};

/// Directories are open to whoever sees the volume; the files' own modes decide who reads.
const DIRECTORY_MODE: Mode =
    Mode::RWXU.union(Mode::RGRP).union(Mode::XGRP).union(Mode::ROTH).union(Mode::XOTH);
/// A new file: it must not exist, and nobody else reads it before its owner and mode are set.
const NEW: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Writes all of `desired` into a new directory `name`.
pub(super) fn write(
    volume: &OwnedFd,
    name: GenerationName,
    desired: &DesiredFiles,
    group: Option<u32>,
) -> Result<(), DiskError> {
    let bytes = desired.files.values().map(|file| file.content.expose().len() as u64).sum();
    let full = |error: DiskError| error.or_full(bytes);
    let top = entry::make_directory(volume, &name.to_string())
        .map_err(DiskError::write(name))
        .map_err(full)?;
    for path in &desired.directories {
        make_above(&top, path)
            .and_then(|parent| open_or_make(parent.as_fd(), path.file_name()))
            .map_err(DiskError::write(path))
            .map_err(full)?;
    }
    for (path, file) in &desired.files {
        write_file(&top, path, file, group).map_err(full)?;
    }
    rustix::fs::fchmod(&top, DIRECTORY_MODE).map_err(DiskError::write(name))
}

fn write_file(
    top: &OwnedFd,
    path: &FilePath,
    file: &DesiredFile,
    group: Option<u32>,
) -> Result<(), DiskError> {
    let parent = make_above(top, path).map_err(DiskError::write(path))?;
    let made = rustix::fs::openat(&parent, path.file_name(), NEW, Mode::RUSR | Mode::WUSR)
        .map_err(DiskError::write(path))?;
    entry::write_all(&made, file.content.expose()).map_err(DiskError::write(path))?;
    if let Some(group) = group {
        let name = path.to_string();
        rustix::fs::fchown(&made, None, Some(Gid::from_raw(group)))
            .map_err(|source| DiskError::Group { name, group, source })?;
    }
    rustix::fs::fchmod(&made, Mode::from_raw_mode(file.mode.bits())).map_err(DiskError::write(path))
}

fn make_above(top: &OwnedFd, path: &FilePath) -> Result<OwnedFd, Errno> {
    entry::parent_of(top.as_fd(), path, open_or_make)
}

fn open_or_make(parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    match entry::open_own_directory(parent, name) {
        Err(Errno::NOENT) => {
            let made = entry::make_directory(parent, name)?;
            rustix::fs::fchmod(&made, DIRECTORY_MODE)?;
            Ok(made)
        }
        other => other,
    }
}

/// Whether the generation `name` holds exactly `desired`, each file ours, as it is to be.
pub(super) fn holds(
    volume: &OwnedFd,
    name: GenerationName,
    desired: &DesiredFiles,
    group: Option<u32>,
) -> bool {
    let Ok(top) = entry::open_own_directory(volume, &name.to_string()) else {
        return false;
    };
    let mut wanted: BTreeSet<String> =
        desired.directories.iter().map(FilePath::to_string).collect();
    let paths = desired.files.keys().chain(&desired.directories);
    wanted.extend(paths.flat_map(|path| above(path.as_str())));
    wanted.extend(desired.files.keys().map(FilePath::to_string));
    list(&top, "").is_some_and(|found| found == wanted)
        && desired.files.iter().all(|(path, file)| holds_file(&top, path, file, group))
}

/// The directories above `path`.
fn above(path: &str) -> impl Iterator<Item = String> {
    path.match_indices('/').map(|(end, _)| path[..end].to_owned())
}

fn holds_file(top: &OwnedFd, path: &FilePath, file: &DesiredFile, group: Option<u32>) -> bool {
    let content = file.content.expose();
    entry::parent_of(top.as_fd(), path, |parent, name| entry::open_own_directory(parent, name))
        .and_then(|parent| entry::read(parent, path.file_name(), content.len()))
        .is_ok_and(|(bytes, stat)| {
            let mode = stat.st_mode & 0o7777 == file.mode.bits();
            let owner = entry::is_own(&stat) && group.is_none_or(|group| stat.st_gid == group);
            mode && owner && *bytes == content
        })
}

/// Every path below `directory`; `None` if one cannot be looked into.
fn list(directory: &OwnedFd, prefix: &str) -> Option<BTreeSet<String>> {
    let mut paths = BTreeSet::new();
    for name in entry::names(directory).ok()? {
        let path = format!("{prefix}{name}");
        match entry::open_own_directory(directory, &name) {
            Ok(below) => paths.extend(list(&below, &format!("{path}/"))?),
            Err(Errno::NOTDIR) => {}
            Err(_) => return None,
        }
        paths.insert(path);
    }
    Some(paths)
}
