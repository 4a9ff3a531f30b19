//! The values of annotations: one parser each, and what is allowed instead.
//!
//! PURE.

use std::{collections::BTreeSet, fmt};

use mayfly_spec::suggestion::Suggestion;
use thiserror::Error;
use url::Url;

use crate::{
    fault::quote,
    quantity::{Quantity, QuantityError},
};

/// A value that an annotation cannot have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The switch is neither on nor off.
    #[error("`{}` is not allowed; allowed: \"true\", \"false\"", quote(.0))]
    Switch(String),
    /// In a manifest, a value that is a number, a boolean or more.
    #[error("an annotation's value is a string; put it in quotes")]
    NoString,
    /// Not one of the words that there are.
    #[error("`{}` is not allowed{suggestion}", quote(.value))]
    Word {
        /// The value as written.
        value: String,
        /// What is allowed.
        suggestion: Suggestion,
    },
    /// What a later version brings.
    #[error("`{0}` is not supported by this version")]
    Later(&'static str),
    /// Not of the form that it must have.
    #[error("`{}` is not allowed; allowed: {allowed}", quote(.value))]
    Form {
        /// The value as written.
        value: String,
        /// What would have been right.
        allowed: &'static str,
    },
    /// No span of time.
    #[error(transparent)]
    Interval(#[from] mayfly_spec::spec::IntervalError),
    /// No quantity.
    #[error("`{}` is {error}", quote(.value))]
    Quantity {
        /// The value as written.
        value: String,
        /// Why not.
        error: QuantityError,
    },
    /// A URL that is none, or that says more than where.
    #[error(
        "`{}` is no address; write `https://<host>[:<port>]`, without user, query or fragment",
        quote(.0)
    )]
    Address(String),
}

/// The value's form is wrong.
pub(super) fn form(value: &str, allowed: &'static str) -> ValueError {
    ValueError::Form { value: value.to_owned(), allowed }
}

/// One of the words of `known`.
pub(super) fn word<T: Copy>(value: &str, known: &[(&str, T)]) -> Result<T, ValueError> {
    let found = known.iter().find(|(word, _)| *word == value);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| ValueError::Word {
        value: value.to_owned(),
        suggestion: Suggestion::new(value, known.iter().map(|(word, _)| *word)),
    })
}

/// Text on one line, of at most 512 bytes.
pub(crate) fn line(value: &str) -> Result<String, ValueError> {
    let value = value.trim();
    if value.is_empty() || value.len() > 512 || value.chars().any(char::is_control) {
        return Err(form(value, "one line of text, at most 512 bytes"));
    }
    Ok(value.to_owned())
}

/// A path below Vault's `auth/`, with or without that word before it.
pub(super) fn auth_path(value: &str) -> Result<String, ValueError> {
    let trimmed = value.trim().trim_matches('/');
    let mount = trimmed.strip_prefix("auth/").unwrap_or(trimmed);
    let allowed_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    if mount.is_empty() || !mount.bytes().all(allowed_byte) || mount.contains("..") {
        return Err(form(value, "a path such as `kubernetes` or `auth/eks-prod`"));
    }
    Ok(mount.to_owned())
}

/// A host's name, not its address.
pub(crate) fn host_name(value: &str) -> Result<String, ValueError> {
    let value = value.trim();
    let is_label = |label: &str| {
        let allowed_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(allowed_byte)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_address = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if value.len() > 253 || is_address || !value.split('.').all(is_label) {
        return Err(form(value, "a host's name such as `vault.example`"));
    }
    Ok(value.to_owned())
}

/// An AWS region's name; a list of them would be old the day after.
pub(crate) fn region(value: &str) -> Result<String, ValueError> {
    let value = value.trim();
    let allowed_byte =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if value.len() > 40 || !value.contains('-') || !value.bytes().all(allowed_byte) {
        return Err(form(value, "a region such as `eu-central-1`"));
    }
    Ok(value.to_owned())
}

/// An IAM role's ARN, of every partition.
pub(crate) fn role_arn(value: &str) -> Result<String, ValueError> {
    let value = value.trim();
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let well_formed = matches!(
        parts.as_slice(),
        ["arn", partition, "iam", "", account, role]
            if partition.starts_with("aws")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
                && role.bytes().all(|byte| byte.is_ascii_graphic())
    );
    if well_formed {
        return Ok(value.to_owned());
    }
    Err(form(value, "an IAM role's ARN, `arn:aws:iam::<account>:role/<name>`"))
}

/// A quantity.
pub(super) fn quantity(value: &str) -> Result<Quantity, ValueError> {
    value.trim().parse().map_err(|error| ValueError::Quantity { value: value.to_owned(), error })
}

/// A resource's amount, or that there is to be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// No request or limit at all.
    Unset,
    /// So much.
    Of(Quantity),
}

impl Amount {
    pub(super) fn parse(value: &str) -> Result<Self, ValueError> {
        if value.trim() == "none" {
            return Ok(Self::Unset);
        }
        quantity(value).map(Self::Of)
    }

    /// The quantity, if there is one.
    pub fn quantity(self) -> Option<Quantity> {
        match self {
            Self::Unset => None,
            Self::Of(quantity) => Some(quantity),
        }
    }
}

/// Vault's URL, in the one spelling in which URLs are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VaultAddress(String);

impl VaultAddress {
    /// Reads a URL of a host, and nothing else.
    pub fn parse(value: &str) -> Result<Self, ValueError> {
        let refused = || ValueError::Address(value.to_owned());
        let url = Url::parse(value.trim()).map_err(|_| refused())?;
        let plain = matches!(url.scheme(), "https" | "http")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if plain { Ok(Self(url.as_str().trim_end_matches('/').to_owned())) } else { Err(refused()) }
    }

    /// The URL without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VaultAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses for an author to read.
pub(crate) fn list_addresses(addresses: &BTreeSet<&VaultAddress>) -> String {
    addresses.iter().map(|address| address.as_str()).collect::<Vec<_>>().join(", ")
}
