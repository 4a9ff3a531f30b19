//! Words of ours for what a template may not do, on their way through minijinja.

use std::{error::Error as _, fmt};

use minijinja::{Error, ErrorKind};

/// Words of ours, which quote no value; minijinja carries them to whoever reads the error.
#[derive(Debug)]
struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// An error with words of ours.
pub(super) fn refuse(words: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, "refused").with_source(Refusal(words.into()))
}

/// Those words, if the error has any.
pub(super) fn refused(error: &Error) -> Option<&str> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Refusal(words)) = error.downcast_ref() {
            return Some(words);
        }
        source = error.source();
    }
    None
}
