//! A whole tree is removed without the stack and with two descriptors, however deep it is: what lies
//! too deep to be removed at once is moved up and waits for its turn.

use std::{
    ffi::CString,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{AtFlags, Dir, Mode},
    io::Errno,
};

use super::{name::temporary, step::DIRECTORY};

/// So many names of one directory are looked at together.
const TOGETHER: usize = 1024;

/// Removes `name` and everything below it; links are removed, not followed. What cannot be removed
/// stays, and the next sweep tries again.
pub(crate) fn remove(parent: impl AsFd, name: &str) {
    let parent = parent.as_fd();
    let mut waiting = vec![name.to_owned()];
    while let Some(name) = waiting.pop() {
        if rustix::fs::unlinkat(parent, &name, AtFlags::empty()) != Err(Errno::ISDIR) {
            continue;
        }
        if let Ok(directory) = rustix::fs::openat(parent, &name, DIRECTORY, Mode::empty()) {
            while empty(&directory, parent, &mut waiting) {}
        }
        // An error here is told by what is still there at the next sweep.
        let _ = rustix::fs::unlinkat(parent, &name, AtFlags::REMOVEDIR);
    }
}

/// Removes what lies in `directory`, or moves it to `parent`; whether anything went.
fn empty(directory: &OwnedFd, parent: BorrowedFd<'_>, waiting: &mut Vec<String>) -> bool {
    let below = |name: &CString| {
        rustix::fs::unlinkat(directory, name, AtFlags::empty()).is_ok()
            || rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR).is_ok()
            || move_up(directory, name, parent, waiting)
    };
    names(directory).iter().map(below).fold(false, |any, gone| any | gone)
}

fn move_up(
    directory: &OwnedFd,
    name: &CString,
    parent: BorrowedFd<'_>,
    waiting: &mut Vec<String>,
) -> bool {
    let aside = temporary();
    let moved = rustix::fs::renameat(directory, name, parent, &aside).is_ok();
    if moved {
        waiting.push(aside);
    }
    moved
}

/// Some of the names in a directory, be they text or not.
fn names(directory: &OwnedFd) -> Vec<CString> {
    let Ok(entries) = Dir::read_from(directory) else { return Vec::new() };
    let names = entries.map_while(Result::ok).map(|entry| entry.file_name().to_owned());
    names.filter(|name| !matches!(name.to_bytes(), b"." | b"..")).take(TOGETHER).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{create, make_directory, names as names_in};

    /// A name that is no text, at the bottom of five thousand directories: each would take some of the
    /// stack, of which there is little here.
    #[test]
    fn the_deepest_tree_goes_without_the_stack() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = rustix::fs::open(folder.path(), DIRECTORY, Mode::empty()).expect("opened");
        let mut deepest = make_directory(&top, "deep").expect("made");
        for _ in 0..5_000 {
            deepest = make_directory(&deepest, "d").expect("made");
        }
        create(&deepest, "file", b"x").expect("written");
        rustix::fs::mkdirat(&deepest, &*CString::from(c"\xff"), Mode::RWXU).expect("made");
        let small = std::thread::Builder::new().stack_size(64 << 10);
        let removed = small.spawn(move || {
            remove(&top, "deep");
            names_in(&top).expect("names")
        });
        let left = removed.expect("a thread").join().expect("no overflow");
        assert!(left.is_empty(), "{left:?}");
    }
}
