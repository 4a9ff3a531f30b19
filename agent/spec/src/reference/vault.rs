//! What is fetched from Vault: a path that is read, a path that is written to.

mod place;

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
    /// Where the KV store is mounted, when that is said too: its path begins so. `None` beside `kv`
    /// is the first name of the path.
    pub mount: Option<String>,
    /// The engine's type, when it is not to be found out: `database`, `pki`, ….
    pub engine: Option<String>,
    /// The namespace of Vault Enterprise or OpenBao, whole, when it is not the login's.
    pub namespace: Option<String>,
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
///
/// The options are the body's fields, but for two: no field of Vault's has a hyphen in its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultWrite {
    /// Mount and path, without a leading `/`.
    pub path: String,
    /// The fields of the request's body.
    pub body: BTreeMap<String, String>,
    /// The engine's type (`vault-engine`), for where Vault does not tell it.
    pub engine: Option<String>,
    /// The namespace (`vault-namespace`), whole, when it is not the login's.
    pub namespace: Option<String>,
}

const READ: [&str; 5] = ["version", "kv", "mount", "engine", "namespace"];

impl VaultPath {
    /// The path, and everything else to be found out.
    pub fn new(path: impl Into<String>) -> Self {
        let path = path.into();
        Self { path, version: None, kv: None, mount: None, engine: None, namespace: None }
    }

    pub(super) fn parse(path: &str, options: Option<&str>) -> Result<Self, ReferenceError> {
        let mut options = Options::parse_known(options, Source::Vault.name(), &READ)?;
        let path = place::path(path)?;
        let version = options.take_number("version")?;
        let kv = kv(options.take("kv")?.as_deref())?;
        let mount = place::mount(options.take("mount")?, &path)?;
        let engine = place::engine("engine", options.take("engine")?)?;
        let namespace = place::namespace("namespace", options.take("namespace")?)?;
        let said = [
            (kv == Some(KvVersion::V1) && version.is_some(), ("version", "kv=1")),
            (engine.is_some() && kv.is_some(), ("engine", "kv")),
            (engine.is_some() && version.is_some(), ("engine", "version")),
            (engine.is_some() && mount.is_some(), ("engine", "mount")),
        ];
        if let Some((_, (one, other))) = said.into_iter().find(|(is_said, _)| *is_said) {
            return Err(ReferenceError::Exclusive(one, other));
        }
        if mount.is_some() && kv.is_none() {
            return Err(ReferenceError::MountWithoutKv);
        }
        Ok(Self { path, version, kv, mount, engine, namespace })
    }
}

fn kv(value: Option<&str>) -> Result<Option<KvVersion>, ReferenceError> {
    match value {
        None => Ok(None),
        Some("1") => Ok(Some(KvVersion::V1)),
        Some("2") => Ok(Some(KvVersion::V2)),
        Some(value) => {
            let (option, value, allowed) = ("kv", value.to_owned(), "1 or 2");
            Err(ReferenceError::OptionValue { option, value, allowed })
        }
    }
}

impl VaultWrite {
    pub(super) fn parse(path: &str, options: Option<&str>) -> Result<Self, ReferenceError> {
        let mut options = Options::parse(options)?;
        let path = place::path(path)?;
        let engine = place::engine("vault-engine", options.take("vault-engine")?)?;
        let namespace = place::namespace("vault-namespace", options.take("vault-namespace")?)?;
        Ok(Self { path, engine, namespace, body: options.into_inner() })
    }
}

impl fmt::Display for VaultPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kv = self.kv.map(|kv| match kv {
            KvVersion::V1 => "1".to_owned(),
            KvVersion::V2 => "2".to_owned(),
        });
        let version = self.version.map(|version| version.to_string());
        let [mount, engine, namespace] = [&self.mount, &self.engine, &self.namespace];
        let said = [version, kv, mount.clone(), engine.clone(), namespace.clone()];
        write!(f, "vault:{}", encode(&self.path))?;
        write_options(f, READ.into_iter().zip(said).map(|(name, value)| Some((name, value?))))
    }
}

impl fmt::Display for VaultWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vault-write:{}", encode(&self.path))?;
        let body = self.body.iter().map(|(name, value)| Some((name.as_str(), value.clone())));
        let said = [("vault-engine", &self.engine), ("vault-namespace", &self.namespace)];
        let said = said.into_iter().map(|(name, value)| Some((name, value.clone()?)));
        write_options(f, body.chain(said))
    }
}
