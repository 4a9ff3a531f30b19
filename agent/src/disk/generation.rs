//! One generation's directory: written as a whole, compared as a whole. What is the same in the
//! present one is the same file, by a second link.

use std::{
    collections::BTreeSet,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use mayfly_spec::FilePath;
use rustix::{
    fs::{AtFlags, Gid, Mode},
    io::Errno,
};

use super::DiskError;
use crate::{
    files,
    manifest::{GenerationName, Manifest, Wanted, WantedFile},
    render::DesiredFile,
};

/// Directories are open to whoever sees the volume; the files' own modes decide who reads.
const DIRECTORY_MODE: Mode =
    Mode::RWXU.union(Mode::RGRP).union(Mode::XGRP).union(Mode::ROTH).union(Mode::XOTH);

/// The generation that a new one is made beside.
pub(super) struct Present<'a> {
    top: Option<OwnedFd>,
    manifest: &'a Manifest,
}

impl<'a> Present<'a> {
    /// What is there of `manifest`.
    pub(super) fn open(volume: &OwnedFd, manifest: &'a Manifest) -> Self {
        let open = |name: GenerationName| files::open_own_directory(volume, &name.to_string()).ok();
        Self { top: manifest.name.and_then(open), manifest }
    }
}

/// Writes all of `wanted` into a new directory `name`.
pub(super) fn write(
    volume: &OwnedFd,
    name: GenerationName,
    wanted: &Wanted,
    group: Option<u32>,
    present: &Present<'_>,
) -> Result<(), DiskError> {
    let full = |error: DiskError| error.or_full(wanted);
    let top = files::make_directory(volume, &name.to_string())
        .map_err(DiskError::write(name))
        .map_err(full)?;
    for path in &wanted.directories {
        make_above(&top, path)
            .and_then(|parent| open_or_make(parent.as_fd(), path.file_name()))
            .map_err(DiskError::write(path))
            .map_err(full)?;
    }
    for (path, file) in &wanted.files {
        if !link(&top, path, file, group, present) {
            write_file(&top, path, file, group).map_err(full)?;
        }
    }
    rustix::fs::fchmod(&top, DIRECTORY_MODE).map_err(DiskError::write(name))
}

/// Makes the file a second link to the present generation's, if that is the same; whether it did.
/// It is looked at where it is linked to, so that what is swapped meanwhile is not taken for it.
fn link(
    top: &OwnedFd,
    path: &FilePath,
    file: &WantedFile,
    group: Option<u32>,
    present: &Present<'_>,
) -> bool {
    let mark = present.manifest.files.get(path);
    let (Some(old), Some(mark)) = (&present.top, mark) else { return false };
    if file.mark() != *mark {
        return false;
    }
    let linked =
        files::parent_of(old.as_fd(), path, |parent, name| files::open_own_directory(parent, name))
            .and_then(|from| {
                let to = make_above(top, path)?;
                rustix::fs::linkat(
                    from,
                    path.file_name(),
                    &to,
                    path.file_name(),
                    AtFlags::empty(),
                )?;
                Ok(to)
            });
    linked.is_ok_and(|to| {
        let is_same = holds_file(top, path, file, group);
        if !is_same {
            files::remove(to, path.file_name());
        }
        is_same
    })
}

fn write_file(
    top: &OwnedFd,
    path: &FilePath,
    file: &WantedFile,
    group: Option<u32>,
) -> Result<(), DiskError> {
    let WantedFile::Made(DesiredFile { content, mode }) = file else {
        return Err(DiskError::Lost(path.to_string()));
    };
    let parent = make_above(top, path).map_err(DiskError::write(path))?;
    let made = files::create(parent, path.file_name(), content.expose())
        .map_err(DiskError::write(path))?;
    if let Some(group) = group {
        let name = path.to_string();
        rustix::fs::fchown(&made, None, Some(Gid::from_raw(group)))
            .map_err(|source| DiskError::Group { name, group, source })?;
    }
    rustix::fs::fchmod(&made, Mode::from_raw_mode(mode.bits())).map_err(DiskError::write(path))
}

fn make_above(top: &OwnedFd, path: &FilePath) -> Result<OwnedFd, Errno> {
    files::parent_of(top.as_fd(), path, open_or_make)
}

fn open_or_make(parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    match files::open_own_directory(parent, name) {
        Err(Errno::NOENT) => {
            let made = files::make_directory(parent, name)?;
            rustix::fs::fchmod(&made, DIRECTORY_MODE)?;
            Ok(made)
        }
        other => other,
    }
}

/// Whether the generation `name` holds exactly `wanted`, each file ours, as it is to be.
pub(super) fn holds(
    volume: &OwnedFd,
    name: GenerationName,
    wanted: &Wanted,
    group: Option<u32>,
) -> bool {
    files::open_own_directory(volume, &name.to_string()).is_ok_and(|top| {
        has_nothing_else(&top, wanted)
            && wanted.directories.iter().all(|path| files::is_there(&top, path))
            && wanted.files.iter().all(|(path, file)| holds_file(&top, path, file, group))
    })
}

/// Whether nothing lies there that is not wanted. Only directories that are wanted are looked into,
/// however deep others may be.
fn has_nothing_else(top: &OwnedFd, wanted: &Wanted) -> bool {
    let paths = wanted.files.keys().chain(&wanted.directories);
    let mut directories: BTreeSet<&str> = paths.flat_map(|path| above(path.as_str())).collect();
    directories.extend(wanted.directories.iter().map(FilePath::as_str));
    let known: BTreeSet<&str> =
        wanted.files.keys().map(FilePath::as_str).chain(directories.iter().copied()).collect();
    let is_known = |prefix: &str, name: &String| known.contains(format!("{prefix}{name}").as_str());
    let has_only = |directory: &OwnedFd, prefix: &str| {
        let names = files::names(directory);
        names.is_ok_and(|names| names.iter().all(|name| is_known(prefix, name)))
    };
    has_only(top, "")
        && directories.iter().all(|path| {
            let opened = path.parse().map_err(|_| Errno::INVAL).and_then(|path: FilePath| {
                let parent = files::parent_of(top.as_fd(), &path, |at, name| {
                    files::open_own_directory(at, name)
                })?;
                files::open_own_directory(parent, path.file_name())
            });
            opened.is_ok_and(|directory| has_only(&directory, &format!("{path}/")))
        })
}

/// The directories above `path`.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

fn holds_file(top: &OwnedFd, path: &FilePath, file: &WantedFile, group: Option<u32>) -> bool {
    /// More than any backend answers.
    const LONGEST: usize = 64 << 20;
    let longest = match file {
        WantedFile::Made(file) => file.content.expose().len(),
        WantedFile::Kept(_) => LONGEST,
    };
    files::parent_of(top.as_fd(), path, |parent, name| files::open_own_directory(parent, name))
        .and_then(|parent| files::read(parent, path.file_name(), longest))
        .is_ok_and(|(bytes, stat)| {
            let mode = stat.st_mode & 0o7777 == file.mode().bits();
            let owner = files::is_own(&stat) && group.is_none_or(|group| stat.st_gid == group);
            mode && owner && file.is(&bytes)
        })
}
