//! The present versions of a folder's secrets, in one request, so that no value is read again that
//! has not changed.
//!
//! OpenBao answers `LIST <mount>/detailed-metadata/<folder>`; Vault has nothing like it. Where it
//! is unknown or forbidden that is found out once for each mount, and every secret is read.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mayfly_spec::{Location, Spec, reference::VaultPath};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{api::Api, mount::Mount, request::Request, token::Token};
use crate::source::version::Version;

/// How long a listing is good: for the secrets of one look, which are asked for together.
const FRESH: Duration = Duration::from_millis(250);

/// The versions that can be read, by the secrets' names.
type Versions = BTreeMap<String, Version>;

/// What is known of folders.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// Folders of which more than one secret is read: for a single one a listing saves nothing.
    shared: BTreeSet<String>,
    listed: Mutex<Listed>,
}

#[derive(Debug, Default)]
struct Listed {
    folders: BTreeMap<String, (Instant, Versions)>,
    /// Mounts that have no such listing, or not for us.
    without: BTreeSet<String>,
}

impl Catalogue {
    /// The catalogue of what `spec` reads.
    pub(super) fn new(spec: &Spec) -> Self {
        let paths: BTreeSet<&str> =
            spec.files.entries().iter().filter_map(|entry| newest(&entry.from.location)).collect();
        let mut seen = BTreeSet::new();
        let shared = paths.into_iter().filter(|path| !seen.insert(folder(path)));
        let shared = shared.map(|path| folder(path).to_owned()).collect();
        Self { shared, listed: Mutex::default() }
    }

    /// The newest version of `path`, if the listing of its folder tells of one that can be read.
    pub(super) async fn version(
        &self,
        path: &VaultPath,
        mount: &Mount,
        token: &Token,
        api: &Api,
    ) -> Option<Version> {
        let folder = folder(newest_of(path)?);
        let below = folder.strip_prefix(&mount.path)?;
        let mut listed = self.listed.lock().await;
        if !self.shared.contains(folder) || listed.without.contains(&mount.path) {
            return None;
        }
        let is_fresh = |(at, _): &(Instant, Versions)| at.elapsed() < FRESH;
        if !listed.folders.get(folder).is_some_and(is_fresh) {
            let request = Request::list(format!("{}detailed-metadata/{below}", mount.path));
            let body = api.call(request, Some(token)).await.ok();
            let Some(versions) = body.and_then(|body| parse(&body)) else {
                listed.without.insert(mount.path.clone());
                return None;
            };
            listed.folders.insert(folder.to_owned(), (Instant::now(), versions));
        }
        let (_, versions) = listed.folders.get(folder)?;
        versions.get(&path.path[folder.len()..]).cloned()
    }
}

fn newest(location: &Location) -> Option<&str> {
    match location {
        Location::Vault(path) => newest_of(path),
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
        assert_eq!(Catalogue::new(&spec).shared, BTreeSet::from(["secret/z/".to_owned()]));
    }
}
