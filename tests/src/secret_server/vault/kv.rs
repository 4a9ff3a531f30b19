//! The key-value engine, in both versions.

use std::{collections::BTreeMap, time::SystemTime};

use axum::http::Method;
use humantime::format_rfc3339_nanos;
use serde_json::{Map, Value, json};

use super::{JSON, Vault, data, envelope, errors, forbidden, no_route, unsupported};
use crate::secret_server::{Request, reply::Reply};

/// The warning of a KV v2 mount for a path without `data/`.
const INVALID_PATH: &str = "Invalid path for a versioned K/V secrets engine. See the API docs for \
    the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv get' for this \
    operation.";

/// The two versions of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kv {
    /// Unversioned.
    V1,
    /// Versioned.
    V2,
}

/// A mount of the engine.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) kv: Kv,
    secrets: BTreeMap<String, Vec<Version>>,
}

#[derive(Debug)]
struct Version {
    data: Option<Value>,
    created: SystemTime,
    deleted: Option<SystemTime>,
    destroyed: bool,
}

impl Mount {
    pub(super) fn new(kv: Kv) -> Self {
        Self { kv, secrets: BTreeMap::new() }
    }
}

impl Vault {
    /// Mounts the engine at a path, for example `teams/kv`.
    pub fn mount(&mut self, path: &str, kv: Kv) {
        self.mounts.insert(format!("{}/", path.trim_matches('/')), Mount::new(kv));
    }

    /// Writes a secret, its path written as for `vault kv put`. Gives the new version, or `None`
    /// if nothing is mounted there.
    pub fn put(&mut self, path: &str, data: Value) -> Option<u64> {
        let (mount, rest) = self.split(path)?;
        let secret = self.mounts.get_mut(&mount)?.secrets.entry(rest).or_default();
        let created = SystemTime::now();
        secret.push(Version { data: Some(data), created, deleted: None, destroyed: false });
        u64::try_from(secret.len()).ok()
    }

    /// Deletes one version of a KV v2 secret, so that it could be brought back.
    pub fn delete_version(&mut self, path: &str, version: u64) {
        if let Some(version) = self.version_mut(path, version) {
            version.deleted = Some(SystemTime::now());
        }
    }

    /// Destroys one version of a KV v2 secret for good.
    pub fn destroy_version(&mut self, path: &str, version: u64) {
        if let Some(version) = self.version_mut(path, version) {
            (version.data, version.destroyed) = (None, true);
        }
    }

    /// Forgets the newest version, as a standby does that lags behind.
    pub fn roll_back(&mut self, path: &str) {
        if let Some((mount, rest)) = self.split(path) {
            let mount = self.mounts.get_mut(&mount);
            mount.and_then(|mount| mount.secrets.get_mut(&rest)?.pop());
        }
    }

    /// Removes a secret with all its versions.
    pub fn remove(&mut self, path: &str) {
        if let Some((mount, rest)) = self.split(path) {
            self.mounts.get_mut(&mount).map(|mount| mount.secrets.remove(&rest));
        }
    }

    fn version_mut(&mut self, path: &str, version: u64) -> Option<&mut Version> {
        let (mount, rest) = self.split(path)?;
        let versions = self.mounts.get_mut(&mount)?.secrets.get_mut(&rest)?;
        versions.get_mut(usize::try_from(version).ok()?.checked_sub(1)?)
    }

    /// The longest mount that a path lies in, and the rest of the path.
    pub(super) fn split(&self, path: &str) -> Option<(String, String)> {
        let mounts = self.mounts.keys().filter(|mount| path.starts_with(mount.as_str()));
        let mount = mounts.max_by_key(|mount| mount.len())?;
        Some((mount.clone(), path[mount.len()..].to_owned()))
    }

    /// Reads from whatever is mounted there.
    pub(super) fn read(&self, path: &str, request: &Request) -> Reply {
        let Some((at, rest)) = self.split(path) else { return no_route(path) };
        let mount = &self.mounts[&at];
        if let Some(folder) = rest.strip_prefix("detailed-metadata/")
            && request.method.as_str() == "LIST"
            && self.is_openbao
        {
            return mount.detailed(folder);
        }
        if request.method != Method::GET {
            return unsupported();
        }
        let (room, inner) = rest.split_once('/').unwrap_or((&rest, ""));
        let logical = if mount.kv == Kv::V1 { rest.as_str() } else { inner };
        if self.denied.contains(&format!("{at}{logical}")) {
            return forbidden();
        }
        match (mount.kv, room) {
            (Kv::V1, _) => mount.read_v1(logical),
            (Kv::V2, "data") => mount.read_v2(logical, request.query("version").as_deref()),
            (Kv::V2, "metadata") => mount.metadata(logical),
            (Kv::V2, _) => invalid_path(),
        }
    }
}

impl Mount {
    fn read_v1(&self, path: &str) -> Reply {
        let newest = self.secrets.get(path).and_then(|versions| versions.last());
        let Some(version) = newest else { return errors(404, &[]) };
        let mut answer = envelope();
        answer["lease_duration"] = json!(2_764_800);
        answer["data"] = json!(version.data);
        Reply::json(200, JSON, &answer)
    }

    /// A version that is deleted or destroyed is a 404 that still tells its metadata.
    fn read_v2(&self, path: &str, version: Option<&str>) -> Reply {
        let versions = self.secrets.get(path).map(Vec::as_slice).unwrap_or_default();
        let number = match version.map(str::parse) {
            None | Some(Ok(0)) => versions.len(),
            Some(Ok(number)) => number,
            Some(Err(_)) => return errors(400, &["error converting input for field \"version\""]),
        };
        let Some(version) = number.checked_sub(1).and_then(|index| versions.get(index)) else {
            return errors(404, &[]);
        };
        let mut metadata = version.metadata();
        metadata["custom_metadata"] = Value::Null;
        metadata["version"] = json!(number);
        let (status, content) = match &version.data {
            Some(content) if version.deleted.is_none() => (200, content.clone()),
            _ => (404, Value::Null),
        };
        data(status, json!({"data": content, "metadata": metadata}))
    }

    /// What OpenBao tells of a whole folder.
    fn detailed(&self, folder: &str) -> Reply {
        let below = |(path, versions): (&String, &Vec<Version>)| {
            let name = path.strip_prefix(folder).filter(|name| !name.contains('/'))?;
            let numbered = (1..).zip(versions);
            let numbered =
                numbered.map(|(number, it): (u64, _)| (number.to_string(), it.metadata()));
            let versions_told = Value::Object(numbered.collect());
            let told = json!({"current_version": versions.len(), "versions": versions_told});
            Some((name.to_owned(), told))
        };
        let info: Map<_, _> = self.secrets.iter().filter_map(below).collect();
        data(200, json!({"keys": info.keys().collect::<Vec<_>>(), "key_info": info}))
    }

    fn metadata(&self, path: &str) -> Reply {
        let Some(versions) = self.secrets.get(path) else { return errors(404, &[]) };
        let time = |version: Option<&Version>| version.map(Version::time);
        let numbered = (1..)
            .zip(versions)
            .map(|(number, version): (u64, _)| (number.to_string(), version.metadata()));
        data(
            200,
            json!({
                "cas_required": false,
                "created_time": time(versions.first()),
                "current_version": versions.len(),
                "custom_metadata": null,
                "delete_version_after": "0s",
                "max_versions": 0,
                "oldest_version": 0,
                "updated_time": time(versions.last()),
                "versions": numbered.collect::<Map<_, _>>(),
            }),
        )
    }
}

impl Version {
    fn time(&self) -> String {
        format_rfc3339_nanos(self.created).to_string()
    }

    fn metadata(&self) -> Value {
        let deleted = self.deleted.map(|time| format_rfc3339_nanos(time).to_string());
        json!({
            "created_time": self.time(),
            "deletion_time": deleted.unwrap_or_default(),
            "destroyed": self.destroyed,
        })
    }
}

fn invalid_path() -> Reply {
    let mut answer = envelope();
    answer["warnings"] = json!([INVALID_PATH]);
    Reply::json(404, JSON, &answer)
}
