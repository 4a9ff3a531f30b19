//! Faults of a template while it is rendered, without a value.

use std::{error::Error as _, fmt};

use mayfly_spec::template::{Place, quote};
use minijinja::{Error, ErrorKind};

use super::lookups::Lookups;
use crate::render::Cause;

/// Words of ours, which quote no value; minijinja carries them to [`cause`].
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

/// What `error` is for a person.
pub(super) fn cause(text: &str, error: &Error, lookups: &Lookups) -> Cause {
    let error = innermost(error);
    let range = error.range().unwrap_or_default();
    let place = Place::of(text, range.start);
    let words = text.get(range).unwrap_or_default();
    let is_missing = error.kind() == ErrorKind::UndefinedError;
    let reason = match (refused(error), error.kind()) {
        (Some(words), _) => words.to_owned(),
        (None, ErrorKind::UndefinedError) => {
            let why = lookups.miss(words).map(|why| format!(": {why}")).unwrap_or_default();
            format!("`{}` is not there{why}; `| default(…)` would stand in for it", quote(words))
        }
        (None, ErrorKind::OutOfFuel) => "the template does more work than it may".to_owned(),
        // The sink is full; where, minijinja does not keep.
        (None, ErrorKind::WriteFailure) => return Cause::Large,
        (None, kind) => format!("`{}`: {kind}", quote(words)),
    };
    Cause::Template { place, reason, is_missing }
}

/// The first error of a chain: what came of it has no words of its own.
fn innermost(error: &Error) -> &Error {
    let mut innermost = error;
    while let Some(source) = innermost.source().and_then(|source| source.downcast_ref::<Error>()) {
        innermost = source;
    }
    if innermost.range().is_some() { innermost } else { error }
}

fn refused(error: &Error) -> Option<&str> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Refusal(words)) = error.downcast_ref() {
            return Some(words);
        }
        source = error.source();
    }
    None
}
