//! Where a secret is: `<source>:<path>[?option=value&…][#key]`.
//!
//! A [`Reference`] is a [`Location`] (what is fetched) and, perhaps, a [`Key`] (what is picked from
//! it). Several files that differ only in their key share one location, and so one fetch.
//! This room knows the grammar; it does not know how a location is read.

mod arn;
mod aws;
mod error;
mod grammar;
mod key;
mod kms;
mod location;
mod options;
mod source;
mod vault;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use arn::Arn;
pub use aws::{Parameter, ParameterVersion, SecretVersion, SecretsManagerSecret};
pub use error::ReferenceError;
pub use key::Key;
pub use kms::{NONCE, Sealed, SealedHeader, Wrapping};
pub use location::Location;
pub use source::Source;
pub use vault::{KvVersion, VaultPath, VaultWrite};

use grammar::Parts;

/// A location and the key picked from it. See the module's docs for the grammar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// What is fetched.
    pub location: Location,
    /// What is picked from it; `None` takes the whole secret.
    pub key: Option<Key>,
}

impl Reference {
    /// What it is called where people read it: as it is, but a sealed value by its key.
    pub fn label(&self) -> String {
        let key = self.key.as_ref().map_or_else(String::new, |key| format!("#{key}"));
        self.location.label() + &key
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let parts = Parts::split(text)?;
        Ok(Self { key: parts.key.map(Key::parse).transpose()?, location: Location::parse(&parts)? })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.location.fmt(f)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, "#{key}"))
    }
}

impl TryFrom<String> for Reference {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, ReferenceError> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests;
