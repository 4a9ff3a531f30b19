//! What is wrong with a read or a write of an engine that is no key-value store.

use super::{
    super::{answer::AnswerError, api::ApiError},
    said,
};
use crate::{
    fault::{Class, Fault},
    source::SourceError,
};

/// What was done to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::vault) enum Deed {
    Read,
    Write,
}

impl Deed {
    const fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write to",
        }
    }

    const fn capability(self) -> &'static str {
        match self {
            Self::Read => "`read`",
            Self::Write => "`create` and `update`",
        }
    }
}

/// A call that was refused.
pub(in crate::source::vault) fn engine(
    error: &ApiError,
    path: &str,
    deed: Deed,
    who: &str,
) -> SourceError {
    match error {
        ApiError::Status(refusal) if refusal.status == 403 => {
            let words = format!(
                "{who} may not {} `{path}`: grant it {} on that path in a Vault policy",
                deed.verb(),
                deed.capability()
            );
            Fault::new(Class::Refused, words)
        }
        ApiError::Status(refusal) if refusal.status == 404 => {
            let words = format!("there is nothing to {} at `{path}` in Vault", deed.verb());
            Fault::new(Class::Missing, words + &said(refusal))
        }
        ApiError::Status(refusal) if refusal.status == 405 => {
            let (other, words) = match deed {
                Deed::Read => ("vault-write", "cannot be read, but perhaps written to"),
                Deed::Write => ("vault", "cannot be written to, but perhaps read"),
            };
            let words = format!("`{path}` {words}; say `{other}:{path}`");
            Fault::new(Class::Configuration, words + &said(refusal))
        }
        other => super::common(other, &format!("`{path}`")),
    }
}

/// An answer that cannot be used.
pub(in crate::source::vault) fn answer(error: AnswerError, path: &str) -> SourceError {
    match error {
        AnswerError::Garbage => super::common(&ApiError::Garbage, &format!("`{path}`")),
        AnswerError::NoData => Fault::new(
            Class::Configuration,
            format_args!("Vault answers without data for `{path}`, so there is nothing for a file"),
        ),
    }
}

/// A version of what has none.
pub(in crate::source::vault) fn versionless(path: &str, engine: &str) -> SourceError {
    let words = format!(
        "`{path}` belongs to a secrets engine of type `{engine}`, which keeps no versions; leave `?version=` out"
    );
    Fault::new(Class::Configuration, words)
}

/// A write to a key-value store.
pub(in crate::source::vault) fn write_to_kv(path: &str, mount: &str) -> SourceError {
    let words = format!(
        "`{mount}` is a key-value store, to which the agent never writes; to read it, say `vault:{path}`"
    );
    Fault::new(Class::Configuration, words)
}

/// A write to nobody knows what.
pub(in crate::source::vault) fn write_to_unknown(path: &str, who: &str) -> SourceError {
    let words = format!(
        "Vault does not tell {who} which engine `{path}` belongs to, and the agent writes to no path that may be a key-value store; check the path, and that a policy grants {} on it",
        Deed::Write.capability()
    );
    Fault::new(Class::Refused, words)
}
