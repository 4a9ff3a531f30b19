//! The kinds of backend that a reference can name.

use std::{fmt, str::FromStr};

use super::ReferenceError;
use crate::suggestion::Suggestion;

/// A kind of backend: the word before the first `:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// AWS Secrets Manager.
    AwsSm,
    /// AWS Systems Manager Parameter Store.
    AwsSsm,
    /// A read of a Vault (or OpenBao) path.
    Vault,
    /// A write to a Vault path that returns data.
    VaultWrite,
    /// A value sealed with AWS KMS.
    Kms,
    /// A local file, for development.
    File,
}

impl Source {
    /// Every source, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::AwsSm, Self::AwsSsm, Self::Vault, Self::VaultWrite, Self::Kms, Self::File];

    /// Whether it is Vault's.
    pub const fn is_vault(self) -> bool {
        matches!(self, Self::Vault | Self::VaultWrite)
    }

    /// Whether it is read with the pod's AWS identity.
    pub const fn is_aws(self) -> bool {
        matches!(self, Self::AwsSm | Self::AwsSsm | Self::Kms)
    }

    /// The word before the `:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwsSm => "aws-sm",
            Self::AwsSsm => "aws-ssm",
            Self::Vault => "vault",
            Self::VaultWrite => "vault-write",
            Self::Kms => "kms",
            Self::File => "file",
        }
    }
}

impl FromStr for Source {
    type Err = ReferenceError;

    fn from_str(name: &str) -> Result<Self, ReferenceError> {
        Self::ALL.into_iter().find(|source| source.name() == name).ok_or_else(|| {
            let known = Self::ALL.iter().map(|source| source.name());
            ReferenceError::UnknownSource(name.to_owned(), Suggestion::new(name, known))
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
