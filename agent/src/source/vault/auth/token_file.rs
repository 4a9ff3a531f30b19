//! Tokens in files: Vault's, or those that are shown to Vault; read anew for every use.
#![expect(clippy::disallowed_methods, reason = "tokens are read from files, anew for every use")]

use std::{fmt, path::Path, time::Duration};

use crate::{
    fault::{Class, Fault},
    secret::Secret,
    source::{
        contract::SourceError,
        vault::token::{Login, word},
    },
};

pub(super) fn login(path: &Path) -> Result<Login, SourceError> {
    Ok(Login { token: read(path)?, lease: Duration::ZERO, renewable: false })
}

/// The file's token, without the newline that editors add.
pub(super) fn read(path: &Path) -> Result<Secret, SourceError> {
    read_as("the token", path)
}

/// The same of one word that a person calls `what`.
pub(super) fn read_as(what: &str, path: &Path) -> Result<Secret, SourceError> {
    let refused = |reason: &dyn fmt::Display| {
        let words = format!("{what} in `{}` cannot be used: {reason}", path.display());
        Fault::new(Class::Refused, words)
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(&error))?;
    let text = Secret::from(text);
    let trimmed = text.expose_text().unwrap_or_default().trim().to_owned();
    word(trimmed).ok_or_else(|| refused(&"the file is empty or holds more than one word"))
}
