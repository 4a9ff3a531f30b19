//! `file:` references: a local file's bytes, for development.
#![expect(clippy::disallowed_methods, reason = "reading a local file is this source's work")]

use std::{io::ErrorKind, path::Path, time::SystemTime};

use super::{
    contract::{Fetched, SourceError},
    version::Version,
};
use crate::{
    fault::{Class, Fault},
    root::Root,
    secret::Secret,
};

/// Files of this machine.
#[derive(Debug)]
pub(super) struct LocalFiles {
    root: Root,
}

impl LocalFiles {
    pub(super) fn new(root: Root) -> Self {
        Self { root }
    }

    pub(super) fn fetch(&self, path: &str) -> Result<Fetched, SourceError> {
        let path = self.root.resolve(Path::new(path));
        let unreadable = |error: std::io::Error| {
            let class = match error.kind() {
                ErrorKind::NotFound => Class::Missing,
                ErrorKind::PermissionDenied => Class::Refused,
                _ => Class::Unreachable,
            };
            Fault::new(class, format_args!("the file `{}` cannot be read: {error}", path.display()))
        };
        let changed: Option<SystemTime> =
            std::fs::metadata(&path).map_err(unreadable)?.modified().ok();
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        Ok(Fetched::new(Secret::from(bytes).into(), Version::named(None, changed)))
    }
}
