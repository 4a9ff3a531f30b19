//! When what an engine gave ends: by a lease, or as the engine itself writes it.
//!
//! PURE. The same word means different things to different engines: the `ttl` of `pki/roles/web` is
//! what the role grants, that of `database/static-creds/web` is the time to the next rotation. So the
//! engine and the path decide which word is believed, and of an engine that is not known none is.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;

use super::{life, seconds};

/// An engine that is no key-value store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its type.
    pub(super) name: String,
    /// Where it is, with a trailing `/`, if that is known.
    pub(super) mount: Option<String>,
}

/// When a secret ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// With a lease; a duration of zero has no end that Vault knows.
    Lease { id: String, duration: Duration, renewable: bool },
    /// By itself, after this time.
    Own(Duration),
    /// It is replaced after this time; until then it is as good as any. Zero is now, or soon.
    Rotation(Duration),
    /// It says nothing of an end.
    Unknown,
}

/// What was done to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Read,
    Write,
}

/// What some engines write beside the secret itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Notes {
    expiration: Value,
    pub(super) serial_number: Value,
    ttl: Value,
    token_ttl: Value,
    secret_id_ttl: Value,
    pub(super) last_vault_rotation: Value,
}

/// The words of an engine, by what was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// `expiration`, a date: of a certificate.
    Expiration,
    /// `expiration`, a date: until the next rotation.
    RotationDate,
    /// `ttl`, until the next rotation.
    Rotation,
    /// `ttl`, of a token.
    Ttl,
    /// `token_ttl`.
    TokenTtl,
    /// `secret_id_ttl`.
    SecretIdTtl,
    /// None.
    None,
}

/// When what has no lease ends, as far as the engine says.
pub(super) fn end(kind: &Kind, path: &str, deed: Deed, notes: &Notes, now: SystemTime) -> End {
    let own = |left: Option<Duration>| left.and_then(life::known).map_or(End::Unknown, End::Own);
    match word(kind, path, deed) {
        // By a clock that is wrong by more than its life it has ended before; then it is not kept.
        Word::Expiration => own(seconds::until(&notes.expiration, now)),
        Word::RotationDate => {
            seconds::until(&notes.expiration, now).map_or(End::Unknown, End::Rotation)
        }
        Word::Rotation if notes.last_vault_rotation.is_string() => {
            let left = seconds::seconds(&notes.ttl);
            let left = left.filter(|left| left.is_zero() || life::known(*left).is_some());
            left.map_or(End::Unknown, End::Rotation)
        }
        Word::Ttl => own(seconds::seconds(&notes.ttl)),
        Word::TokenTtl => own(seconds::seconds(&notes.token_ttl)),
        Word::SecretIdTtl => own(seconds::seconds(&notes.secret_id_ttl)),
        Word::Rotation | Word::None => End::Unknown,
    }
}

fn word(kind: &Kind, path: &str, deed: Deed) -> Word {
    let below = kind.mount.as_deref().and_then(|mount| path.strip_prefix(mount)).unwrap_or(path);
    let has = |name: &str| below.split('/').any(|it| it == name);
    let is_static = has("static-creds") || has("static-cred");
    match (kind.name.as_str(), deed) {
        ("pki", Deed::Write) => Word::Expiration,
        ("aws", Deed::Read) if is_static => Word::RotationDate,
        ("gcp", Deed::Read) if has("token") => Word::TokenTtl,
        ("identity", Deed::Read)
            if below.starts_with("oidc/token/") || has("oidc") && has("token") =>
        {
            Word::Ttl
        }
        ("approle" | "auth", Deed::Write) if has("secret-id") || has("custom-secret-id") => {
            Word::SecretIdTtl
        }
        ("pki" | "approle" | "auth" | "gcp" | "identity", _) => Word::None,
        // Engines of databases and directories, and those that are made like them.
        (_, Deed::Read) if is_static => Word::Rotation,
        _ => Word::None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn end_of(engine: &str, path: &str, deed: Deed, data: Value) -> End {
        let mount = path.split_once('/').map(|(mount, _)| format!("{mount}/"));
        let kind = Kind { name: engine.to_owned(), mount };
        let notes = serde_json::from_value(data).expect("notes");
        end(&kind, path, deed, &notes, at(1000))
    }

    #[test]
    fn the_engine_decides_which_word_is_an_end() {
        let (own, seconds) =
            (|seconds| End::Own(Duration::from_secs(seconds)), Duration::from_secs);
        let rotated = "2026-01-01T00:00:00Z";
        for (engine, path, deed, data, end) in [
            ("pki", "pki/issue/web", Deed::Write, json!({"expiration": 1300}), own(300)),
            ("pki", "pki/sign/web", Deed::Write, json!({"expiration": 1300}), own(300)),
            (
                "pki",
                "pki/roles/web",
                Deed::Read,
                json!({"ttl": 600, "expiration": 1300}),
                End::Unknown,
            ),
            ("pki", "pki/cert/01", Deed::Read, json!({"expiration": 1300}), End::Unknown),
            ("pki", "pki/issue/web", Deed::Write, json!({"expiration": 900}), End::Unknown),
            (
                "pki",
                "pki/issue/web",
                Deed::Write,
                json!({"expiration": 1_300_000_000_000_u64}),
                End::Unknown,
            ),
            (
                "database",
                "database/static-creds/web",
                Deed::Read,
                json!({"ttl": 59, "last_vault_rotation": rotated}),
                End::Rotation(seconds(59)),
            ),
            (
                "database",
                "database/static-creds/web",
                Deed::Read,
                json!({"ttl": 0, "last_vault_rotation": rotated}),
                End::Rotation(seconds(0)),
            ),
            (
                "database",
                "database/static-creds/web",
                Deed::Read,
                json!({"ttl": u64::MAX, "last_vault_rotation": rotated}),
                End::Unknown,
            ),
            (
                "database",
                "database/roles/web",
                Deed::Read,
                json!({"ttl": 60, "token_ttl": 60}),
                End::Unknown,
            ),
            (
                "ldap",
                "ldap/static-cred/web",
                Deed::Read,
                json!({"ttl": 5, "last_vault_rotation": rotated}),
                End::Rotation(seconds(5)),
            ),
            (
                "aws",
                "aws/static-creds/web",
                Deed::Read,
                json!({"expiration": "1970-01-01T00:17:40Z"}),
                End::Rotation(seconds(60)),
            ),
            ("gcp", "gcp/roleset/web/token", Deed::Read, json!({"token_ttl": 3600}), own(3600)),
            ("identity", "identity/oidc/token/web", Deed::Read, json!({"ttl": 3600}), own(3600)),
            (
                "approle",
                "auth/approle/role/web/secret-id",
                Deed::Write,
                json!({"secret_id_ttl": 600}),
                own(600),
            ),
            (
                "approle",
                "auth/approle/role/web/secret-id",
                Deed::Write,
                json!({"secret_id_ttl": 0}),
                End::Unknown,
            ),
            (
                "approle",
                "auth/approle/role/web",
                Deed::Read,
                json!({"secret_id_ttl": 600, "token_ttl": 6}),
                End::Unknown,
            ),
            (
                "somebody's",
                "own/thing",
                Deed::Read,
                json!({"ttl": 60, "expiration": 1300}),
                End::Unknown,
            ),
        ] {
            assert_eq!(end_of(engine, path, deed, data.clone()), end, "{path}: {data}");
        }
    }

    proptest! {
        #[test]
        fn no_number_is_too_odd(number: u64, negative: i64, fraction: f64) {
            for number in [json!(number), json!(negative), json!(fraction), json!("x"), json!([1])] {
                for (engine, path) in [("pki", "p/issue/w"), ("database", "d/static-creds/w"),
                    ("gcp", "g/x/token"), ("identity", "i/oidc/token/w"), ("approle", "a/role/w/secret-id")]
                {
                    let data = json!({"ttl": number, "token_ttl": number, "expiration": number,
                        "secret_id_ttl": number, "last_vault_rotation": "2026-01-01T00:00:00Z"});
                    for deed in [Deed::Read, Deed::Write] {
                        end_of(engine, path, deed, data.clone());
                    }
                }
            }
        }
    }
}
