//! The present versions of a folder's secrets, in one request, so that no value is read again that
//! has not changed.
//!
//! OpenBao answers `LIST <mount>/detailed-metadata/<folder>`; Vault has nothing like it. Where Vault
//! itself says so, or forbids it, it is asked again after an hour, and every secret is read until then;
//! a listing that failed in any other way is only not asked for again at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mayfly_spec::{Location, Spec, reference::VaultPath};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{asker::Asker, mount::Mount, request::Request, verdict::ApiError};
use crate::{group, source::version::Version};

/// How long a listing is good: for the secrets of one look, which are asked for together.
const FRESH: Duration = Duration::from_millis(250);

/// How long a mount without listings is left alone, and one whose listing failed.
const SELDOM: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_secs(5);

/// The versions that can be read, by the secrets' names.
type Versions = BTreeMap<String, Version>;

/// What is known of folders.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// Folders of which more than one secret is read: for a single one a listing saves nothing.
    shared: BTreeSet<Folder>,
    listed: Mutex<Listed>,
}

/// A namespace, and a folder or mount in it.
type Folder = (Option<String>, String);

#[derive(Debug, Default)]
struct Listed {
    folders: BTreeMap<Folder, (Instant, Versions)>,
    /// Mounts that give no listing, and until when they are not asked for one.
    without: BTreeMap<Folder, Instant>,
}

impl Catalogue {
    /// The catalogue of what `spec` reads.
    pub(super) fn new(spec: &Spec) -> Self {
        let entries = spec.files.entries().iter();
        let paths: BTreeSet<_> = entries.flat_map(group::locations).filter_map(newest).collect();
        let mut seen = BTreeSet::new();
        let shared = paths.into_iter().map(|(namespace, path)| (namespace, folder(path)));
        let shared = shared.filter(|folder| !seen.insert(*folder));
        let owned = |(namespace, folder): (Option<&str>, &str)| {
            (namespace.map(str::to_owned), folder.to_owned())
        };
        Self { shared: shared.map(owned).collect(), listed: Mutex::default() }
    }

    /// The newest version of `path`, if the listing of its folder tells of one that can be read.
    pub(super) async fn version(
        &self,
        path: &VaultPath,
        mount: &Mount,
        asker: Asker<'_>,
    ) -> Option<Version> {
        let folder = folder(newest_of(path)?);
        let below = folder.strip_prefix(&mount.path)?;
        let in_namespace = |it: &str| (asker.namespace.map(str::to_owned), it.to_owned());
        let (place, at) = (in_namespace(folder), in_namespace(&mount.path));
        if !self.shared.contains(&place) {
            return None;
        }
        let mut listed = self.listed.lock().await;
        let is_fresh = |(at, _): &(Instant, Versions)| at.elapsed() < FRESH;
        if !listed.folders.get(&place).is_some_and(is_fresh) {
            if listed.without.get(&at).is_some_and(|until| Instant::now() < *until) {
                return None;
            }
            let request = Request::list(format!("{}detailed-metadata/{below}", mount.path));
            match list(request, asker).await {
                Ok(versions) => {
                    listed.folders.insert(place.clone(), (Instant::now(), versions));
                    listed.without.remove(&at);
                }
                Err(pause) => {
                    listed.without.insert(at, Instant::now() + pause);
                    return None;
                }
            }
        }
        let (_, versions) = listed.folders.get(&place)?;
        versions.get(&path.path[folder.len()..]).cloned()
    }
}

/// The versions, or how long not to ask for them.
async fn list(request: Request, asker: Asker<'_>) -> Result<Versions, Duration> {
    match asker.call(request).await {
        Ok(body) => parse(&body).ok_or(SELDOM),
        Err(ApiError::Status(refusal)) if matches!(refusal.status, 400 | 403 | 404 | 405) => {
            Err(SELDOM)
        }
        Err(_) => Err(SOON),
    }
}

fn newest(location: &Location) -> Option<(Option<&str>, &str)> {
    match location {
        Location::Vault(path) => Some((location.vault_namespace(), newest_of(path)?)),
        _ => None,
    }
}

fn newest_of(path: &VaultPath) -> Option<&str> {
    path.version.is_none().then_some(&*path.path)
}

/// The path up to its last name, with the `/`.
fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

fn parse(body: &[u8]) -> Option<Versions> {
    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        key_info: BTreeMap<String, Info>,
    }
    #[derive(Deserialize)]
    struct Info {
        current_version: Option<u64>,
        #[serde(default)]
        versions: BTreeMap<String, Standing>,
    }
    #[derive(Deserialize)]
    struct Standing {
        created_time: String,
        deletion_time: String,
        destroyed: bool,
    }
    let Answer { data: Data { key_info } } = serde_json::from_slice(body).ok()?;
    let readable = |(name, info): (String, Info)| {
        let current = info.current_version?;
        let standing = info.versions.get(&current.to_string())?;
        let there = standing.deletion_time.is_empty() && !standing.destroyed;
        let created = humantime::parse_rfc3339(&standing.created_time).ok();
        there.then(|| (name, Version::numbered(current, created)))
    };
    Some(key_info.into_iter().filter_map(readable).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_read_is_listed() {
        let body = br#"{"data":{"keys":["a","b","c","d/"],"key_info":{
            "a":{"current_version":3,"versions":{"3":{"created_time":"2026-01-01T00:00:00Z","deletion_time":"","destroyed":false}}},
            "b":{"current_version":2,"versions":{"2":{"created_time":"2026-01-01T00:00:00Z","deletion_time":"2026-01-01T00:00:00Z","destroyed":false}}},
            "c":{"current_version":2,"versions":{"2":{"created_time":"2026-01-01T00:00:00Z","deletion_time":"","destroyed":true}}},
            "d/":{}}}}"#;
        let created = humantime::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time");
        let three = Version::numbered(3, Some(created));
        assert_eq!(parse(body), Some(Versions::from([("a".to_owned(), three)])));
        // Vault's listing of names alone.
        assert_eq!(parse(br#"{"data":{"keys":["a"]}}"#), None);
    }

    #[test]
    fn a_folder_is_shared_by_what_is_read_as_it_is_now() {
        let spec = r#"{"version":1,"directory":"/run","files":[
            {"path":"a","from":"vault:secret/x/a"},{"path":"a.again","from":"vault:secret/x/a#b"},
            {"path":"b","from":"vault:secret/y/b"},{"path":"c","from":"vault:secret/y/c?version=1"},
            {"path":"d","from":"vault:secret/z/d"},{"path":"e","from":"vault:secret/z/e"}]}"#;
        let spec = Spec::from_environment(spec).expect("a configuration");
        assert_eq!(Catalogue::new(&spec).shared, BTreeSet::from([(None, "secret/z/".to_owned())]));
    }
}
