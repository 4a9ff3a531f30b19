//! The one atomic writer: what is written appears under its name by one rename, complete or not at
//! all, and a temporary name is one that nobody could have taken beforehand.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::{AtFlags, Mode, OFlags},
    io::Errno,
};

use super::{name::temporary, removal::remove};

/// A new file: it must not exist, and nobody else reads it before its mode is set.
const NEW: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// A new file of these bytes that only its owner may read.
pub(crate) fn create(directory: impl AsFd, name: &str, bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let file = rustix::fs::openat(directory, name, NEW, Mode::RUSR | Mode::WUSR)?;
    write_all(&file, bytes)?;
    Ok(file)
}

/// Makes `name` a file of these bytes, whatever was there before; but a directory goes only if all
/// that lies here is the agent's own.
pub(crate) fn replace(
    directory: impl AsFd,
    name: &str,
    bytes: &[u8],
    mode: Mode,
    is_whole: bool,
) -> Result<(), Errno> {
    let new = temporary();
    create(&directory, &new, bytes)
        .and_then(|file| rustix::fs::fchmod(file, mode))
        .and_then(|()| {
            if is_whole {
                move_over(&directory, &new, name)
            } else {
                rustix::fs::renameat(&directory, &new, &directory, name)
            }
        })
        .inspect_err(|_| {
            // A temporary name that stays is swept at the next start.
            let _ = rustix::fs::unlinkat(&directory, &new, AtFlags::empty());
        })
}

/// Gives `new` the name `name`, whatever has it; a directory that was planted there is removed.
pub(crate) fn move_over(directory: impl AsFd, new: &str, name: &str) -> Result<(), Errno> {
    match rustix::fs::renameat(&directory, new, &directory, name) {
        Err(Errno::ISDIR) => {
            remove(&directory, name);
            rustix::fs::renameat(&directory, new, &directory, name)
        }
        other => other,
    }
}

/// Writes `bytes` into the file, however many steps it takes.
fn write_all(file: impl AsFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(&file, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
