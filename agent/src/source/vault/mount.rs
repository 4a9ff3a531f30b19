//! Which engine a path belongs to: asked once per mount.

use std::{cell::RefCell, collections::BTreeMap};

use mayfly_spec::reference::{KvVersion, VaultPath};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{
    asker::Asker,
    end::Kind,
    request::Request,
    verdict::{ApiError, Body, Form},
};
use crate::fault::quoted;

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
    /// Another engine.
    Other(Kind),
    /// Nobody says.
    Untold(Untold),
}

/// Why it is not known what answers at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Untold {
    /// What was said instead.
    pub(super) said: String,
}

/// The mounts that are known.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// By namespace and path.
    known: RefCell<BTreeMap<Place, Engine>>,
    /// Held while one is asked for, so that many references ask once.
    asking: Mutex<()>,
}

type Place = (Option<String>, String);

impl Mounts {
    /// The engine of `path`.
    pub(super) async fn of(&self, path: &str, asker: Asker<'_>) -> Result<Engine, ApiError> {
        if let Some(engine) = self.find(path, asker.namespace) {
            return Ok(engine);
        }
        let _asking = self.asking.lock().await;
        if let Some(engine) = self.find(path, asker.namespace) {
            return Ok(engine);
        }
        let (mount, engine) = ask(path, asker).await?;
        // What was not told may be told next time: rights are granted late.
        if !matches!(engine, Engine::Untold(_)) {
            let place = (asker.namespace.map(str::to_owned), mount);
            self.known.borrow_mut().insert(place, engine.clone());
        }
        Ok(engine)
    }

    /// Asks anew next time: the engine may have been upgraded, or another one mounted there.
    pub(super) fn forget(&self, path: &str, namespace: Option<&str>) {
        self.known.borrow_mut().retain(|place, _| !is_at(place, path, namespace));
    }

    fn find(&self, path: &str, namespace: Option<&str>) -> Option<Engine> {
        let known = self.known.borrow();
        let (_, engine) = known.iter().find(|(place, _)| is_at(place, path, namespace))?;
        Some(engine.clone())
    }
}

fn is_at((of, mount): &Place, path: &str, namespace: Option<&str>) -> bool {
    of.as_deref() == namespace && path.starts_with(mount.as_str())
}

impl Mount {
    /// The mount that is said.
    pub(super) fn said(mount: &str, kv: KvVersion) -> Self {
        Self { path: format!("{mount}/"), kv }
    }

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
async fn ask(path: &str, asker: Asker<'_>) -> Result<(String, Engine), ApiError> {
    let request = Request::read(format!("sys/internal/ui/mounts/{path}"));
    let untold = |said: String| Ok((first_name(path), Engine::Untold(Untold { said })));
    match asker.call(request).await {
        Ok(body) => parse(&body, path).ok_or(ApiError::Garbage),
        Err(ApiError::Status(refusal)) if matches!(refusal.status, 403 | 404) => {
            let said = refusal.errors.join("; ");
            untold(if said.is_empty() { "it says nothing".to_owned() } else { quoted(&said) })
        }
        // Some proxies let nobody ask below `sys/`; what can be read is read all the same.
        Err(ApiError::Foreign(foreign)) if matches!(foreign.status, 401 | 403 | 404 | 405) => {
            let words = match &foreign.form {
                Form::Words(words) => format!(": \"{words}\""),
                _ => String::new(),
            };
            let (address, status) = (&foreign.address, foreign.status);
            untold(format!("somebody else answered at {address} with HTTP status {status}{words}"))
        }
        Err(error) => Err(error),
    }
}

fn parse(body: &Body, asked: &str) -> Option<(String, Engine)> {
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
    // An auth method's own path lacks what it is below.
    let path = if asked.starts_with("auth/") && !path.starts_with("auth/") {
        format!("auth/{path}")
    } else {
        path
    };
    let version = options.as_ref().and_then(|options| options.get("version"));
    let engine = match engine.as_str() {
        "kv" | "generic" | "cubbyhole" => {
            let is_versioned = version.is_some_and(|version| version == "2");
            let kv = if is_versioned { KvVersion::V2 } else { KvVersion::V1 };
            Engine::Kv(Mount { path: path.clone(), kv })
        }
        _ => Engine::Other(Kind { name: engine, mount: Some(path.clone()) }),
    };
    Some((path, engine))
}
