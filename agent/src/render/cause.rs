//! Why an entry cannot be made from its secret: in words for a person, without a value.

use mayfly_spec::{
    file::{Dialect, PathError},
    template::{LARGEST, Place},
};
use thiserror::Error;

use crate::{
    fault::{Class, Fault},
    secret::{NoObject, PickError},
};

/// An entry that cannot be made from its secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{path}` from `{from}`: {cause}")]
pub struct RenderError {
    /// The entry.
    pub path: String,
    /// Its reference.
    pub from: String,
    /// What is wrong with the secret for it.
    pub cause: Cause,
}

/// What is wrong with a secret for one entry. No variant holds a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Cause {
    /// The key is not there.
    #[error(transparent)]
    Pick(#[from] PickError),
    /// A whole secret that is no JSON object.
    #[error("{1}; {0} needs an object (`format: raw` writes the secret as it is)")]
    NoObject(&'static str, NoObject),
    /// A value that is not encoded as the entry says.
    #[error("{0} is no base64, which `decode: base64` expects")]
    Base64(String),
    /// A value that is no text once it is decoded.
    #[error("{0} decodes to bytes that are no text; leave it to a file of its own, or to a `dir`")]
    Binary(String),
    /// A value that the format has no way to write.
    #[error("the value of `{key}` cannot be written as {format}: {reason}")]
    Value {
        /// Its key.
        key: String,
        /// The format.
        format: &'static str,
        /// Why not, and what to do.
        reason: String,
    },
    /// A key that the format has no way to write.
    #[error(
        "the key `{key}` is no name of a variable in the dialect `{dialect}` ({reason}); give it another, for example with `keys: {{{key}: NAME}}`"
    )]
    Name {
        /// The key.
        key: String,
        /// Whose names they are.
        dialect: Dialect,
        /// What a name is, or why this one is none.
        reason: &'static str,
    },
    /// A key of the secret that is no file name.
    #[error("the key `{key}` is no file name: {reason}; choose others with `keys`")]
    FileName {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: PathError,
    },
    /// A template that fails with these secrets.
    #[error("{place}: {reason}")]
    Template {
        /// Where in its text.
        place: Place,
        /// What failed there, in the template's own words.
        reason: String,
        /// Whether something that it needs is not in a secret.
        is_missing: bool,
    },
    /// A template that makes more than a file may have.
    #[error("the template makes a file of more than {LARGEST} bytes")]
    Large,
    /// Two keys of the secret that cannot both be files.
    #[error("the keys `{0}` and `{1}` cannot both be files; choose one with `keys`")]
    Clash(String, String),
}

impl Cause {
    /// Whether the secret is readable and lacks the key; anything else says nothing of the key.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Pick(cause) => cause.is_missing(),
            Self::Template { is_missing, .. } => *is_missing,
            _ => false,
        }
    }
}

impl From<RenderError> for Fault {
    fn from(error: RenderError) -> Self {
        let class = if error.cause.is_missing() { Class::Missing } else { Class::Configuration };
        Self::new(class, error)
    }
}
