//! What is fetched from Vault: a path that is read, a path that is written to.

use std::{collections::BTreeMap, fmt};

use super::{
    ReferenceError, Source,
    grammar::encode,
    options::{Options, write_options},
};

/// A path that is read, as a person gives it to `vault kv get` or `vault read`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultPath {
    /// Mount and path, without a leading `/`.
    pub path: String,
    /// The version of a KV v2 secret; `None` is the newest.
    pub version: Option<u64>,
    /// The mount's KV version, when it is not to be found out.
    pub kv: Option<KvVersion>,
}

/// The two versions of Vault's key-value engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KvVersion {
    /// Unversioned.
    V1,
    /// Versioned.
    V2,
}

/// A path that is written to, and the request's body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultWrite {
    /// Mount and path, without a leading `/`.
    pub path: String,
    /// The fields of the request's body.
    pub body: BTreeMap<String, String>,
}

impl VaultPath {
    pub(super) fn parse(path: &str, options: Option<&str>) -> Result<Self, ReferenceError> {
        let mut options = Options::parse_known(options, Source::Vault.name(), &["version", "kv"])?;
        let version = options.take_number("version")?;
        let kv = match options.take("kv")?.as_deref() {
            None => None,
            Some("1") if version.is_some() => {
                return Err(ReferenceError::Exclusive("version", "kv=1"));
            }
            Some("1") => Some(KvVersion::V1),
            Some("2") => Some(KvVersion::V2),
            Some(value) => {
                let (option, value, allowed) = ("kv", value.to_owned(), "1 or 2");
                return Err(ReferenceError::OptionValue { option, value, allowed });
            }
        };
        Ok(Self { path: mount_and_path(path), version, kv })
    }
}

impl VaultWrite {
    pub(super) fn parse(path: &str, options: Option<&str>) -> Result<Self, ReferenceError> {
        let body = Options::parse(options)?.into_inner();
        Ok(Self { path: mount_and_path(path), body })
    }
}

fn mount_and_path(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}

impl fmt::Display for VaultPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kv = self.kv.map(|kv| match kv {
            KvVersion::V1 => ("kv", "1".to_owned()),
            KvVersion::V2 => ("kv", "2".to_owned()),
        });
        write!(f, "vault:{}", encode(&self.path))?;
        write_options(f, [self.version.map(|version| ("version", version.to_string())), kv])
    }
}

impl fmt::Display for VaultWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vault-write:{}", encode(&self.path))?;
        write_options(f, self.body.iter().map(|(name, value)| Some((name.as_str(), value.clone()))))
    }
}
