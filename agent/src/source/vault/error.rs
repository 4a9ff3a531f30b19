//! What Vault's refusals mean for a person, and what to change.

mod engine;

use mayfly_spec::reference::{KvVersion, VaultPath};

pub(super) use engine::{Deed, answer, engine, versionless, write_to_kv, write_to_unknown};

use super::{
    api::{ApiError, Refusal},
    auth::Method,
    kv::Metadata,
    mount::Mount,
};
use crate::{
    fault::{Class, Fault, quoted},
    source::SourceError,
};

/// Where was read, and by whom.
pub(super) struct At<'a> {
    pub(super) path: &'a str,
    pub(super) mount: &'a Mount,
    pub(super) who: &'a str,
}

/// A login: how, where and by whom.
pub(super) struct LoginTo<'a> {
    pub(super) method: Method,
    pub(super) mount: &'a str,
    pub(super) who: &'a str,
    pub(super) address: &'a str,
}

/// A login that failed.
pub(super) fn login(error: &ApiError, to: &LoginTo<'_>) -> SourceError {
    let LoginTo { method, mount, who, address } = to;
    match error {
        ApiError::Status(refusal) if matches!(refusal.status, 400 | 403 | 404) => {
            let words = refusal.errors.join("; ");
            let class = if method.is_outage(&words) { Class::Unreachable } else { Class::Refused };
            let (said, advice) = (said(refusal), method.advice(&words));
            let words =
                format!("{address} refuses the login at `auth/{mount}` as {who}{said}; {advice}");
            Fault::new(class, words)
        }
        other => common(other, &format!("the login at `auth/{mount}`")),
    }
}

/// An engine that could not be found out.
pub(super) fn mount(error: &ApiError, path: &str, who: &str) -> SourceError {
    common(error, &format!("the mount of `{path}`, asked for by {who}"))
}

/// A version was asked for where there are none.
pub(super) fn unversioned(path: &VaultPath) -> SourceError {
    let words = format!(
        "`{}` is in a KV mount of version 1, which keeps no versions; leave `?version=` out",
        path.path
    );
    Fault::new(Class::Configuration, words)
}

/// A secret that could not be read.
pub(super) fn read(error: &ApiError, path: &VaultPath, at: &At<'_>) -> SourceError {
    match error {
        ApiError::Status(refusal) if refusal.status == 403 => {
            let words = format!(
                "{} may not read `{}`: grant it `read` on that path in a Vault policy{}",
                at.who,
                at.path,
                hint(path, at.mount)
            );
            Fault::new(Class::Refused, words)
        }
        ApiError::Status(refusal) if refusal.status == 404 => Metadata::of_refusal(&refusal.body)
            .map_or_else(|| missing(path, at), |metadata| gone(&metadata, path)),
        other => common(other, &format!("`{}`", at.path)),
    }
}

fn missing(path: &VaultPath, at: &At<'_>) -> SourceError {
    let version = path.version.map(|version| format!("version {version} of ")).unwrap_or_default();
    let words = format!(
        "there is no {version}secret at `{}` in Vault (read as `{}`){}",
        path.path,
        at.path,
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
        format!(
            "version {version} of `{path}` is deleted; bring it back with `vault kv undelete -versions={version} {path}`, or write a new one"
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

/// What is alike for every call.
pub(super) fn common(error: &ApiError, what: &str) -> SourceError {
    let refusal = match error {
        ApiError::Transport(reason) => {
            return Fault::new(
                Class::Unreachable,
                format_args!("Vault cannot be reached: {reason}{}", of_connection(reason)),
            );
        }
        ApiError::Garbage => {
            let words =
                format!("the answer for {what} is not one that Vault gives; check the address");
            return Fault::new(Class::Unreachable, words);
        }
        ApiError::Status(refusal) => refusal,
    };
    let said = said(refusal);
    let is_sealed = refusal.errors.iter().any(|error| error.to_lowercase().contains("sealed"));
    let (class, words) = match refusal.status {
        300..=399 => (
            Class::Unreachable,
            format!(
                "Vault redirects {what} elsewhere, which is not followed; name the address that answers itself"
            ),
        ),
        400 => (Class::Configuration, format!("Vault does not take the request for {what}{said}")),
        403 => (Class::Refused, format!("Vault refuses {what}{said}")),
        404 => (Class::Missing, format!("Vault has nothing for {what}{said}")),
        412 => (Class::Unreachable, format!("this Vault node has not caught up yet with {what}")),
        429 => (
            Class::Throttled,
            format!("Vault asks for fewer calls: the rate limit for {what} is used up"),
        ),
        472 | 473 => (
            Class::Unreachable,
            format!("this Vault node is a standby and does not answer for {what}"),
        ),
        503 if is_sealed => (Class::Unreachable, "Vault is sealed; unseal it".to_owned()),
        status => (
            Class::Unreachable,
            format!("Vault answered with HTTP status {status} for {what}{said}"),
        ),
    };
    Fault::new(class, words)
}

/// What to change where TLS is not agreed on.
fn of_connection(reason: &str) -> &'static str {
    const AUTHORITY: &str = "; name the authority that its certificate is from (`ca`)";
    const NAME: &str = "; ask for it by a name of its certificate (`address`, or `server-name`)";
    let known = [
        ("UnknownIssuer", AUTHORITY),
        ("BadSignature", AUTHORITY),
        ("NotValidForName", NAME),
        ("not valid for name", NAME),
        ("CertificateRequired", "; it wants to know its clients: name a `client-certificate`"),
        ("UnknownCA", "; it does not know the authority of the `client-certificate`"),
    ];
    known.iter().find(|(words, _)| reason.contains(words)).map_or("", |(_, advice)| advice)
}

/// Vault's own words, in brackets.
fn said(refusal: &Refusal) -> String {
    match refusal.errors.join("; ") {
        words if words.is_empty() => String::new(),
        words => format!(" (it says: {})", quoted(&words)),
    }
}
