//! A service account's token in a file.
#![expect(clippy::disallowed_methods, reason = "the token is read from a file, anew each time")]

use std::{fmt, fs, path::Path};

use zeroize::Zeroizing;

use crate::{
    fault::{Class, Fault},
    source::contract::SourceError,
};

/// The token, as it is now: the kubelet rotates it.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, SourceError> {
    let refused = |reason: &dyn fmt::Display| {
        let words =
            format!("no workload identity: the token in `{}` cannot be used", path.display());
        Fault::new(Class::Refused, format_args!("{words}: {reason}"))
    };
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| refused(&error))?);
    match text.trim() {
        "" => Err(refused(&"the file is empty")),
        token => Ok(Zeroizing::new(token.to_owned())),
    }
}

/// The fault without the token, if somebody quoted it.
pub(super) fn hidden(mut fault: SourceError, token: &str) -> SourceError {
    fault.message = fault.message.replace(token, "…");
    fault
}
