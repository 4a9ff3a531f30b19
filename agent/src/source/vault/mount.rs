//! Which engine a path belongs to: asked once per mount.

use std::{cell::RefCell, collections::BTreeMap};

use mayfly_spec::reference::{KvVersion, VaultPath};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{
    Body,
    api::{Api, ApiError},
    request::Request,
    token::Token,
};

/// A KV mount: its path, with a trailing `/`, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) path: String,
    pub(super) kv: KvVersion,
}

/// What answers at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Engine {
    /// A key-value store.
    Kv(Mount),
    /// Another engine, by its type.
    Other(String),
    /// Vault does not say.
    Untold,
}

/// The mounts that are known.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    known: RefCell<BTreeMap<String, Engine>>,
    /// Held while one is asked for, so that many references ask once.
    asking: Mutex<()>,
}

impl Mounts {
    /// The engine of `path`.
    pub(super) async fn of(
        &self,
        path: &str,
        token: &Token,
        api: &Api,
    ) -> Result<Engine, ApiError> {
        if let Some(engine) = self.find(path) {
            return Ok(engine);
        }
        let _asking = self.asking.lock().await;
        if let Some(engine) = self.find(path) {
            return Ok(engine);
        }
        let (mount, engine) = ask(path, token, api).await?;
        self.known.borrow_mut().insert(mount, engine.clone());
        Ok(engine)
    }

    /// Asks anew next time: the engine may have been upgraded, or another one mounted there.
    pub(super) fn forget(&self, path: &str) {
        self.known.borrow_mut().retain(|mount, _| !path.starts_with(mount.as_str()));
    }

    fn find(&self, path: &str) -> Option<Engine> {
        let known = self.known.borrow();
        let (_, engine) = known.iter().find(|(mount, _)| path.starts_with(mount.as_str()))?;
        Some(engine.clone())
    }
}

impl Mount {
    /// The mount where the first name is taken for its path.
    pub(super) fn of_first_name(path: &str, kv: KvVersion) -> Self {
        Self { path: first_name(path), kv }
    }

    /// What to read for `path`; `None` if it asks for a version that this mount does not keep.
    pub(super) fn request(&self, path: &VaultPath) -> Option<Request> {
        let below = path.path.strip_prefix(&self.path).unwrap_or(&path.path);
        match self.kv {
            KvVersion::V2 => {
                Some(Request::read_version(format!("{}data/{below}", self.path), path.version))
            }
            KvVersion::V1 if path.version.is_some() => None,
            KvVersion::V1 => Some(Request::read(path.path.clone())),
        }
    }
}

fn first_name(path: &str) -> String {
    let first = path.split('/').next().unwrap_or(path);
    format!("{first}/")
}

/// Asks the preflight endpoint that Vault's own command line uses; it wants no policy of its own.
async fn ask(path: &str, token: &Token, api: &Api) -> Result<(String, Engine), ApiError> {
    let request = Request::read(format!("sys/internal/ui/mounts/{path}"));
    match api.call(request, Some(token)).await {
        Ok(body) => parse(&body).ok_or(ApiError::Garbage),
        Err(ApiError::Status(refusal)) if matches!(refusal.status, 403 | 404) => {
            Ok((first_name(path), Engine::Untold))
        }
        Err(error) => Err(error),
    }
}

fn parse(body: &Body) -> Option<(String, Engine)> {
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
    let engine = match engine.as_str() {
        "kv" | "generic" => {
            let is_versioned = version.is_some_and(|version| version == "2");
            let kv = if is_versioned { KvVersion::V2 } else { KvVersion::V1 };
            Engine::Kv(Mount { path: path.clone(), kv })
        }
        _ => Engine::Other(engine),
    };
    Some((path, engine))
}
