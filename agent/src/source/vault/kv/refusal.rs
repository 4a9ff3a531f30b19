//! What is wrong with a read of a key-value store.

use mayfly_spec::reference::{KvVersion, VaultPath};

use super::metadata::Metadata;
use crate::{
    fault::{Class, Fault, quoted},
    source::{
        contract::SourceError,
        vault::{
            error::{common, said},
            mount::{Mount, Untold},
            verdict::{ApiError, Refusal},
        },
    },
};

/// Where was read, and by whom.
pub(in crate::source::vault) struct At<'a> {
    /// The path as the API has it.
    pub(in crate::source::vault) path: &'a str,
    pub(in crate::source::vault) mount: &'a Mount,
    /// Why the mount is only a guess, if it is one.
    pub(in crate::source::vault) guess: Option<&'a Untold>,
    pub(in crate::source::vault) who: &'a str,
}

/// A version was asked for where there are none.
pub(in crate::source::vault) fn unversioned(path: &VaultPath) -> SourceError {
    let words = format!(
        "`{}` is in a KV mount of version 1, which keeps no versions; leave `?version=` out",
        path.path
    );
    Fault::new(Class::Configuration, words)
}

/// A secret that could not be read.
pub(in crate::source::vault) fn read(
    error: &ApiError,
    path: &VaultPath,
    at: &At<'_>,
) -> SourceError {
    let ApiError::Status(refusal) = error else { return common(error, &format!("`{}`", at.path)) };
    match (refusal.status, at.guess) {
        (403 | 404, Some(untold)) if Metadata::of_refusal(&refusal.body).is_none() => {
            guessed(refusal, untold, path, at)
        }
        (403, _) => {
            let advice = if refusal.is_bare() {
                "; if its policies lack it, grant it `read` on that path in a Vault policy"
            } else {
                ""
            };
            let (said, hint) = (said(refusal), hint(path, at.mount));
            let words = format!("{} may not read `{}`{said}{advice}{hint}", at.who, at.path);
            Fault::new(Class::Refused, words)
        }
        (404, _) => Metadata::of_refusal(&refusal.body)
            .map_or_else(|| missing(refusal, path, at), |metadata| gone(&metadata, path)),
        _ => common(error, &format!("`{}`", at.path)),
    }
}

/// What was only guessed proves nothing: neither that the secret is missing, nor what to grant.
fn guessed(refusal: &Refusal, untold: &Untold, path: &VaultPath, at: &At<'_>) -> SourceError {
    let VaultPath { path, .. } = path;
    let words = format!(
        "{who} could not be told which engine `{path}` belongs to ({why}), and read it as `{guess}`, a guess, which Vault answered with HTTP status {status}{said}. Grant {who} `read` on the secret's path in a Vault policy: `{path}`, or of a KV store of version 2 the same with `data/` behind the mount. If it is granted and Vault still does not tell the engine, say it: `?kv=2&mount=…`, `?kv=1` or `?engine=…`",
        who = at.who,
        why = untold.said,
        guess = at.path,
        status = refusal.status,
        said = said(refusal),
    );
    Fault::new(Class::Refused, words)
}

fn missing(refusal: &Refusal, path: &VaultPath, at: &At<'_>) -> SourceError {
    let version = path.version.map(|version| format!("version {version} of ")).unwrap_or_default();
    let words = format!(
        "there is no {version}secret at `{}` in Vault (read as `{}`){}{}",
        path.path,
        at.path,
        said(refusal),
        hint(path, at.mount)
    );
    Fault::new(Class::Missing, words)
}

/// A version that was there once.
pub(super) fn gone(metadata: &Metadata, path: &VaultPath) -> SourceError {
    let (version, path) = (metadata.version, &path.path);
    let words = if metadata.destroyed {
        format!("version {version} of `{path}` is destroyed for good; write a new one")
    } else {
        let since = quoted(&metadata.deletion_time);
        format!(
            "version {version} of `{path}` is deleted (since {since}); bring it back with `vault kv undelete -versions={version} {path}`, or write a new one"
        )
    };
    Fault::new(Class::Missing, words)
}

/// A person who writes the API's path means the one that `vault kv get` takes.
fn hint(path: &VaultPath, mount: &Mount) -> String {
    let below = path.path.strip_prefix(&mount.path).unwrap_or_default();
    match below.strip_prefix("data/") {
        Some(below) if mount.kv == KvVersion::V2 => {
            format!("; `data/` belongs to the API's path, write `vault:{}{below}`", mount.path)
        }
        _ => String::new(),
    }
}

/// An answer that is not one of Vault's.
pub(super) fn garbage(path: &VaultPath) -> SourceError {
    common(&ApiError::Garbage, &format!("`{}`", path.path))
}
