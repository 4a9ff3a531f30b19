//! What one fetch reads: the dispatch from a reference's source to the type of its location.

use std::fmt;

use super::{
    Arn, Parameter, ReferenceError, Sealed, SecretsManagerSecret, Source, VaultPath, VaultWrite,
    grammar::{Parts, decode_name, encode},
    options::Options,
};

/// What one fetch reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// `aws-sm:…` or a Secrets Manager ARN.
    AwsSm(SecretsManagerSecret),
    /// `aws-ssm:…` or an SSM ARN.
    AwsSsm(Parameter),
    /// `vault:…`.
    Vault(VaultPath),
    /// `vault-write:…`.
    VaultWrite(VaultWrite),
    /// `kms:…`.
    Kms(Sealed),
    /// `file:…`, an absolute path.
    File(String),
}

impl Location {
    /// The kind of backend that holds it.
    pub const fn source(&self) -> Source {
        match self {
            Self::AwsSm(_) => Source::AwsSm,
            Self::AwsSsm(_) => Source::AwsSsm,
            Self::Vault(_) => Source::Vault,
            Self::VaultWrite(_) => Source::VaultWrite,
            Self::Kms(_) => Source::Kms,
            Self::File(_) => Source::File,
        }
    }

    /// Whether this is a tree of many secrets (a trailing `/`), which only a directory can hold.
    pub fn is_tree(&self) -> bool {
        matches!(self, Self::AwsSsm(parameter) if parameter.name.ends_with('/'))
    }

    /// The namespace of Vault that it names by itself, whole and without outer `/`; `None` is the
    /// login's, and what is not Vault's has none.
    pub fn vault_namespace(&self) -> Option<&str> {
        match self {
            Self::Vault(path) => path.namespace.as_deref(),
            Self::VaultWrite(write) => write.namespace.as_deref(),
            _ => None,
        }
    }

    /// What it is called where people read it: a sealed value by its key, anything else as it is.
    pub fn label(&self) -> String {
        match self {
            Self::Kms(sealed) => format!("{}:{}", Source::Kms, sealed.header().key()),
            other => other.to_string(),
        }
    }

    pub(super) fn parse(parts: &Parts<'_>) -> Result<Self, ReferenceError> {
        let path = decode_name(parts.path)?;
        if parts.source == "arn" {
            return Self::parse_arn(&format!("arn:{path}"), parts.options);
        }
        let source: Source = parts.source.parse()?;
        if path.trim_matches('/').is_empty() {
            return Err(ReferenceError::EmptyPath(source.to_string()));
        }
        match source {
            // The name of a secret may end so; it is written `%2F` there.
            Source::AwsSm if parts.path.ends_with('/') => return Err(ReferenceError::SecretTree),
            Source::AwsSm | Source::AwsSsm => {}
            _ if path.ends_with('/') => return Err(ReferenceError::Tree(source.name())),
            _ => {}
        }
        match source {
            Source::AwsSm | Source::AwsSsm if path.starts_with("arn:") => {
                Self::parse_arn(&path, parts.options)
            }
            Source::AwsSm => {
                SecretsManagerSecret::parse(path, parts.options, None).map(Self::AwsSm)
            }
            Source::AwsSsm => Parameter::parse(path, parts.options, None).map(Self::AwsSsm),
            Source::Vault => VaultPath::parse(&path, parts.options).map(Self::Vault),
            Source::VaultWrite => VaultWrite::parse(&path, parts.options).map(Self::VaultWrite),
            Source::Kms => {
                Options::parse_known(parts.options, Source::Kms.name(), &[])?;
                Sealed::parse(&path).map(Self::Kms)
            }
            Source::File => file(path, parts.options),
        }
    }

    fn parse_arn(text: &str, options: Option<&str>) -> Result<Self, ReferenceError> {
        let arn = Arn::parse(text)?;
        match (arn.service(), arn.resource()) {
            ("secretsmanager", resource) if resource.starts_with("secret:") => {
                if resource.matches(':').count() > 1 {
                    return Err(ReferenceError::EcsSuffix(text.to_owned()));
                }
                SecretsManagerSecret::parse(text.to_owned(), options, Some(&arn)).map(Self::AwsSm)
            }
            ("ssm", resource) if resource.starts_with("parameter/") => {
                Parameter::parse(text.to_owned(), options, Some(&arn)).map(Self::AwsSsm)
            }
            (service, _) => Err(ReferenceError::ArnService(service.to_owned())),
        }
    }
}

fn file(path: String, options: Option<&str>) -> Result<Location, ReferenceError> {
    Options::parse_known(options, Source::File.name(), &[])?;
    if path.starts_with('/') {
        Ok(Location::File(path))
    } else {
        Err(ReferenceError::RelativeFile(path))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwsSm(secret) => secret.fmt(f),
            Self::AwsSsm(parameter) => parameter.fmt(f),
            Self::Vault(path) => path.fmt(f),
            Self::VaultWrite(write) => write.fmt(f),
            Self::Kms(sealed) => write!(f, "kms:{sealed}"),
            Self::File(path) => write!(f, "file:{}", encode(path)),
        }
    }
}
