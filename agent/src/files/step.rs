//! One step at a time below a directory descriptor: open, make, read, list; never through a link.
//!
//! # Design
//! Every name is opened by itself with `O_NOFOLLOW` below the descriptor of its parent. That is as
//! strict as `openat2` with `RESOLVE_BENEATH` and works on kernels and sandboxes that lack it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mayfly_spec::FilePath;
use rustix::{
    fs::{Dir, FileType, Mode, OFlags, Stat},
    io::Errno,
    process::geteuid,
};
use zeroize::Zeroizing;

pub(super) const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Without `O_NONBLOCK` a planted FIFO would stop the agent.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// Opens the directory `name`, which must belong to this agent and be writable by nobody else.
pub(crate) fn open_own_directory(parent: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    let directory = rustix::fs::openat(parent, name, DIRECTORY, Mode::empty())?;
    let stat = rustix::fs::fstat(&directory)?;
    if is_own(&stat) && stat.st_mode & 0o022 == 0 { Ok(directory) } else { Err(Errno::ACCESS) }
}

/// Makes the directory `name`, which must be new, for this agent alone.
pub(crate) fn make_directory(parent: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    rustix::fs::mkdirat(&parent, name, Mode::RWXU)?;
    open_own_directory(parent, name)
}

/// Opens the directory above `path`'s last name; `step` opens or makes one directory of it.
pub(crate) fn parent_of(
    top: BorrowedFd<'_>,
    path: &FilePath,
    step: impl Fn(BorrowedFd<'_>, &str) -> Result<OwnedFd, Errno>,
) -> Result<OwnedFd, Errno> {
    let names: Vec<&str> = path.names().collect();
    let (_, above) = names.split_last().expect("a path has a name");
    above
        .iter()
        .try_fold(top.try_clone_to_owned().map_err(|error| to_errno(&error))?, |parent, name| {
            step(parent.as_fd(), name)
        })
}

fn to_errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Whether `path` is a directory of our own.
pub(crate) fn is_there(top: &OwnedFd, path: &FilePath) -> bool {
    parent_of(top.as_fd(), path, |parent, name| open_own_directory(parent, name))
        .and_then(|parent| open_own_directory(parent, path.file_name()))
        .is_ok()
}

/// Opens `name` for reading; it may still be something other than a file.
pub(crate) fn open(parent: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(parent, name, READ, Mode::empty())
}

/// The bytes of the regular file `name`, and what is known about it.
pub(crate) fn read(
    parent: impl AsFd,
    name: &str,
    longest: usize,
) -> Result<(Zeroizing<Vec<u8>>, Stat), Errno> {
    let file = open(parent, name)?;
    let stat = rustix::fs::fstat(&file)?;
    let size = usize::try_from(stat.st_size).map_err(|_| Errno::FBIG)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || size > longest {
        return Err(Errno::INVAL);
    }
    let mut bytes = Zeroizing::new(vec![0; size]);
    let mut filled = 0;
    while filled < size {
        match rustix::io::read(&file, &mut bytes[filled..])? {
            0 => return Err(Errno::IO),
            count => filled += count,
        }
    }
    Ok((bytes, stat))
}

/// The names in a directory that are text, without `.` and `..`.
pub(crate) fn names(directory: impl AsFd) -> Result<Vec<String>, Errno> {
    let entries = Dir::read_from(directory)?;
    let name = |entry: rustix::fs::DirEntry| entry.file_name().to_str().ok().map(str::to_owned);
    let names = entries.filter_map(|entry| entry.map(name).transpose());
    names.filter(|name| !matches!(name.as_deref(), Ok("." | ".."))).collect()
}

/// Whether this agent's user owns it.
pub(crate) fn is_own(stat: &Stat) -> bool {
    stat.st_uid == geteuid().as_raw()
}
