//! The links: `..data` to the present generation, and one for each visible name through it.

use std::os::fd::OwnedFd;

use rustix::{fs::AtFlags, io::Errno};

use super::{DiskError, name::DATA};
use crate::{
    files::{self, temporary},
    manifest::Wanted,
};

/// Where the link `name` leads; `None` if it is no link.
pub(super) fn target(directory: &OwnedFd, name: &str) -> Option<String> {
    let target = rustix::fs::readlinkat(directory, name, Vec::new()).ok()?;
    target.into_string().ok()
}

/// Whether the visible `name` is a link of this agent's.
pub(super) fn is_ours(directory: &OwnedFd, name: &str) -> bool {
    target(directory, name).is_some_and(|target| target == through_data(name))
}

/// Something that is not a link at a visible name may be a person's own; it is not replaced.
pub(super) fn refuse_obstacles(directory: &OwnedFd, wanted: &Wanted) -> Result<(), DiskError> {
    let obstacle = |name: &&str| {
        let found = rustix::fs::readlinkat(directory, *name, Vec::new());
        matches!(found, Err(Errno::INVAL))
    };
    wanted
        .tops()
        .into_iter()
        .find(obstacle)
        .map_or(Ok(()), |name| Err(DiskError::InTheWay(name.to_owned())))
}

/// Makes the visible names lead through `..data`, and removes those that are wanted no more.
pub(super) fn place(directory: &OwnedFd, wanted: &Wanted) -> Result<(), DiskError> {
    let tops = wanted.tops();
    for name in &tops {
        if !is_ours(directory, name) {
            switch(directory, name, &through_data(name))?;
        }
    }
    let names = files::names(directory).map_err(DiskError::write("."))?;
    for name in names.iter().filter(|name| !tops.contains(name.as_str())) {
        if is_ours(directory, name) {
            files::remove(directory, name);
        }
    }
    Ok(())
}

/// Makes `name` a link to `target` by one rename, whatever was there before.
pub(super) fn switch(directory: &OwnedFd, name: &str, target: &str) -> Result<(), DiskError> {
    let new = temporary();
    rustix::fs::symlinkat(target, directory, &new).map_err(DiskError::write(name))?;
    files::move_over(directory, &new, name).map_err(|error| {
        // A temporary name that stays is swept at the next start.
        let _ = rustix::fs::unlinkat(directory, &new, AtFlags::empty());
        DiskError::write(name)(error)
    })
}

fn through_data(name: &str) -> String {
    format!("{DATA}/{name}")
}
