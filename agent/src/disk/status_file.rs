//! `status.json`: replaced by one rename, readable by everybody that sees the volume.

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};

use super::{DiskError, entry, name::temporary};

const NAME: &str = "status.json";
/// Far more than ten thousand references need; a planted giant is not read.
const LONGEST: usize = 16 << 20;
const NEW: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const EVERYBODY_READS: Mode = Mode::RUSR.union(Mode::RGRP).union(Mode::ROTH);

/// The file's bytes, if it is a regular file.
pub(super) fn read(directory: &OwnedFd) -> Option<Vec<u8>> {
    let (bytes, _) = entry::read(directory, NAME, LONGEST).ok()?;
    Some(bytes.to_vec())
}

pub(super) fn write(directory: &OwnedFd, status: &[u8]) -> Result<(), DiskError> {
    let new = temporary();
    let written = rustix::fs::openat(directory, &new, NEW, Mode::RUSR | Mode::WUSR)
        .and_then(|file| {
            entry::write_all(&file, status)?;
            rustix::fs::fchmod(&file, EVERYBODY_READS)
        })
        .and_then(|()| rustix::fs::renameat(directory, &new, directory, NAME));
    written.map_err(|error| {
        entry::remove(directory, &new);
        DiskError::write(NAME)(error)
    })
}
