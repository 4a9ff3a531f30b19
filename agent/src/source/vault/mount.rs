//! Which mount a path belongs to, and which KV version it speaks: asked once per mount.

use std::{cell::RefCell, collections::BTreeMap};

use mayfly_spec::reference::{KvVersion, VaultPath};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{Api, ApiError, Body, Read, session::Token};

/// A KV mount: its path, with a trailing `/`, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) path: String,
    pub(super) kv: KvVersion,
}

/// Why a path's mount cannot be read from.
#[derive(Debug)]
pub(super) enum MountError {
    /// Vault did not say.
    Api(ApiError),
    /// It holds no key-value secrets; which engine it is.
    Engine { mount: String, engine: String },
}

/// The mounts that are known.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    known: RefCell<BTreeMap<String, KvVersion>>,
    /// Held while one is asked for, so that many references ask once.
    asking: Mutex<()>,
}

impl Mounts {
    /// The mount of `path`.
    pub(super) async fn of(
        &self,
        path: &VaultPath,
        token: &Token,
        api: &Api,
    ) -> Result<Mount, MountError> {
        if let Some(mount) = self.find(&path.path) {
            return Ok(mount);
        }
        let _asking = self.asking.lock().await;
        if let Some(mount) = self.find(&path.path) {
            return Ok(mount);
        }
        let mount = ask(path, token, api).await?;
        self.known.borrow_mut().insert(mount.path.clone(), mount.kv);
        Ok(mount)
    }

    /// Asks anew next time: the engine may have been upgraded.
    pub(super) fn forget(&self, mount: &Mount) {
        self.known.borrow_mut().remove(&mount.path);
    }

    fn find(&self, path: &str) -> Option<Mount> {
        let known = self.known.borrow();
        let (mount, kv) = known.iter().find(|(mount, _)| path.starts_with(mount.as_str()))?;
        Some(Mount { path: mount.clone(), kv: *kv })
    }
}

impl Mount {
    /// The mount where the first name is taken for its path.
    pub(super) fn of_first_name(path: &str, kv: KvVersion) -> Self {
        let first = path.split('/').next().unwrap_or(path);
        Self { path: format!("{first}/"), kv }
    }
}

/// Asks the preflight endpoint that Vault's own command line uses; it wants no policy of its own.
/// Where it is forbidden or missing the mount is taken for version 2, whose paths name no lease.
async fn ask(path: &VaultPath, token: &Token, api: &Api) -> Result<Mount, MountError> {
    let request = Read { path: format!("sys/internal/ui/mounts/{}", path.path), version: None };
    match api.call(request, Some(token)).await {
        Ok(body) => parse(&body).unwrap_or(Err(MountError::Api(ApiError::Garbage))),
        Err(ApiError::Status(refusal)) if matches!(refusal.status, 403 | 404) => {
            Ok(Mount::of_first_name(&path.path, KvVersion::V2))
        }
        Err(error) => Err(MountError::Api(error)),
    }
}

fn parse(body: &Body) -> Option<Result<Mount, MountError>> {
    #[derive(Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        path: String,
        #[serde(rename = "type")]
        engine: String,
        options: Option<BTreeMap<String, String>>,
    }
    let Answer { data: Data { path, engine, options } } = serde_json::from_slice(body).ok()?;
    let version = options.as_ref().and_then(|options| options.get("version"));
    Some(match engine.as_str() {
        "kv" | "generic" => {
            let is_versioned = version.is_some_and(|version| version == "2");
            Ok(Mount { path, kv: if is_versioned { KvVersion::V2 } else { KvVersion::V1 } })
        }
        _ => Err(MountError::Engine { mount: path, engine }),
    })
}
