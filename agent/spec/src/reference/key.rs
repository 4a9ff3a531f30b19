//! What is picked from a secret: one field by its name, or a place by JSON Pointer.

use std::fmt;

use super::{
    ReferenceError,
    grammar::{decode_name, encode},
};

/// The part after `#`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The field of this name at the top of the secret.
    Field(String),
    /// A JSON Pointer (RFC 6901), with its leading `/`.
    Pointer(String),
}

impl Key {
    /// A key that begins with a raw `/` is a JSON Pointer; `%2F` begins a field's name with one.
    pub(super) fn parse(text: &str) -> Result<Self, ReferenceError> {
        let name = decode_name(text)?;
        if name.is_empty() {
            return Err(ReferenceError::EmptyKey);
        }
        if !text.starts_with('/') {
            return Ok(Self::Field(name));
        }
        if name.split('~').skip(1).any(|after| !after.starts_with(['0', '1'])) {
            return Err(ReferenceError::Pointer(name));
        }
        Ok(Self::Pointer(name))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer(pointer) => encode(pointer).fmt(f),
            Self::Field(name) => match name.strip_prefix('/') {
                Some(rest) => write!(f, "%2F{}", encode(rest)),
                None => encode(name).fmt(f),
            },
        }
    }
}
