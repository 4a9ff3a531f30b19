//! Faults of a template while it is rendered, without a value.

use std::error::Error as _;

use mayfly_spec::template::{Place, quote};
use minijinja::{Error, ErrorKind};

use super::{lookups::Lookups, refusal::refused};
use crate::render::Cause;

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
