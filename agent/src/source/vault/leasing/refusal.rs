//! What is wrong with a read or a write of an engine that is no key-value store.

use crate::{
    fault::{Class, Fault, quoted},
    source::{
        contract::SourceError,
        vault::{
            answer::AnswerError,
            end::Deed,
            error::{common, said},
            verdict::ApiError,
        },
    },
};

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
pub(super) fn engine(error: &ApiError, path: &str, deed: Deed, who: &str) -> SourceError {
    let ApiError::Status(refusal) = error else { return common(error, &format!("`{path}`")) };
    let (verb, said) = (deed.verb(), said(refusal));
    match refusal.status {
        403 => {
            let words = format!("{who} may not {verb} `{path}`{said}");
            let advice = if refusal.is_bare() {
                format!(
                    "; if its policies lack it, grant it {} on that path in a Vault policy",
                    deed.capability()
                )
            } else {
                String::new()
            };
            Fault::new(Class::Refused, words + &advice)
        }
        404 => {
            let words = format!("there is nothing to {verb} at `{path}` in Vault{said}");
            Fault::new(Class::Missing, words)
        }
        405 => {
            let (other, words) = match deed {
                Deed::Read => ("vault-write", "cannot be read, but perhaps written to"),
                Deed::Write => ("vault", "cannot be written to, but perhaps read"),
            };
            let words = format!("`{path}` {words}; say `{other}:{path}`{said}");
            Fault::new(Class::Configuration, words)
        }
        _ => common(error, &format!("`{path}`")),
    }
}

/// An answer that cannot be used.
pub(super) fn answer(error: &AnswerError, path: &str) -> SourceError {
    match error {
        AnswerError::Garbage => common(&ApiError::Garbage, &format!("`{path}`")),
        AnswerError::Wrapped => wrapped(path),
        AnswerError::NoData(warnings) => {
            let said = match warnings.join("; ") {
                said if said.is_empty() => said,
                said => format!(" (it says: {})", quoted(&said)),
            };
            let words = format!(
                "Vault answers without data for `{path}`{said}, so there is nothing for a file"
            );
            Fault::new(Class::Configuration, words)
        }
    }
}

/// An answer that somebody has to agree to first.
pub(in crate::source::vault) fn wrapped(path: &str) -> SourceError {
    let words = format!(
        "Vault answers for `{path}` with a wrapping token instead of the secret: a control group wants somebody to agree first, which an agent cannot wait for; leave this path and role out of the control group"
    );
    Fault::new(Class::Refused, words)
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
pub(in crate::source::vault) fn write_to_unknown(path: &str, who: &str, said: &str) -> SourceError {
    let words = format!(
        "Vault does not tell {who} which engine `{path}` belongs to ({said}), and the agent writes to no path that may be a key-value store; check the path, and that a policy grants {} on it, or say the engine (`?vault-engine=`)",
        Deed::Write.capability()
    );
    Fault::new(Class::Refused, words)
}
