//! What is removed: older generations, and what a killed run left half-made.

use std::os::fd::OwnedFd;

use rustix::fs::AtFlags;

use super::name::is_disposable;
use crate::files;

/// What has one of our names and belongs to us.
pub(super) fn disposable(directory: &OwnedFd) -> Vec<String> {
    let is_own = |name: &String| {
        rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| files::is_own(&stat))
    };
    let names = files::names(directory).unwrap_or_default();
    names.into_iter().filter(|name| is_disposable(name) && is_own(name)).collect()
}

/// Removes what is disposable and not to be kept.
pub(super) fn sweep(directory: &OwnedFd, keep: impl Fn(&str) -> bool) {
    let names = disposable(directory);
    names.iter().filter(|name| !keep(name)).for_each(|name| files::remove(directory, name));
}
