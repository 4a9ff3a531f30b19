//! What is removed: older generations, and what a killed run left half-made.

use std::os::fd::OwnedFd;

use rustix::fs::AtFlags;

use super::{
    entry,
    name::{GenerationName, is_disposable},
};

/// Removes what has one of our names, belongs to us, and is not the present generation.
pub(super) fn sweep(directory: &OwnedFd, present: Option<GenerationName>) {
    let present = present.map(|name| name.to_string());
    let is_own = |name: &String| {
        rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| entry::is_own(&stat))
    };
    entry::names(directory)
        .unwrap_or_default()
        .iter()
        .filter(|name| is_disposable(name) && Some(*name) != present.as_ref() && is_own(name))
        .for_each(|name| entry::remove(directory, name));
}
