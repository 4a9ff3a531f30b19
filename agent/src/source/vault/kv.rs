//! What a KV mount answers: the secret, its version, or that the version is gone.

mod metadata;
mod refusal;

use mayfly_spec::reference::{KvVersion, VaultPath};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use refusal::{At, read as refused, unversioned};

use super::verdict::{Body, warnings};
use crate::{
    secret::Json,
    source::{
        contract::{Fetched, SourceError},
        version::Version,
    },
};
use metadata::Versioned;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The secret in a successful answer.
pub(super) fn fetched(
    body: &Body,
    kv: KvVersion,
    path: &VaultPath,
) -> Result<Fetched, SourceError> {
    let garbage = || refusal::garbage(path);
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|_| garbage())?;
    let fetched = match kv {
        KvVersion::V1 => secret(answer.data, Version::default()).ok_or_else(garbage),
        KvVersion::V2 => {
            let versioned: Versioned<'_> =
                serde_json::from_str(answer.data.get()).map_err(|_| garbage())?;
            let Versioned { data, metadata } = versioned;
            let data = data.ok_or_else(|| refusal::gone(&metadata, path))?;
            secret(data, Version::numbered(metadata.version, metadata.created()))
                .ok_or_else(garbage)
        }
    };
    fetched.map(|fetched| Fetched { warnings: warnings(body), ..fetched })
}

/// The members as compact JSON: Vault writes `<` as `\u003c`, which nobody wants in a file.
fn secret(data: &RawValue, version: Version) -> Option<Fetched> {
    let json = Json::parse(data.get()).ok()?;
    json.members()?;
    Some(Fetched::new(json.compact().into(), version))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn read(kv: KvVersion, body: &str) -> Result<Fetched, String> {
        let path = VaultPath::new("secret/app");
        let body = Zeroizing::new(body.as_bytes().to_vec());
        fetched(&body, kv, &path).map_err(|fault| fault.message)
    }

    const V2: &str = r#"{"data":{"data":{"a":"\u003cb\u003e"},"metadata":{"version":3,"created_time":"2026-01-02T03:04:05.678901Z","deletion_time":"","destroyed":false,"custom_metadata":null}}}"#;

    #[test]
    fn both_versions_are_read() {
        let two = read(KvVersion::V2, V2).expect("version 2");
        assert_eq!(two.data.whole().expose(), br#"{"a":"<b>"}"#);
        assert_eq!(two.version.id.as_deref(), Some("3"));
        assert_eq!(
            two.version.created.map(|time| time.to_string()).as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        let one = read(KvVersion::V1, r#"{"lease_duration":2764800,"data":{"n": 1.10}}"#)
            .expect("version 1");
        assert_eq!(one.data.whole().expose(), br#"{"n":1.10}"#);
    }

    #[test]
    fn deleted_and_destroyed_are_told_apart() {
        for (metadata, reason) in [
            (r#""destroyed":true,"deletion_time":"""#, "version 3 of `secret/app` is destroyed"),
            (
                r#""destroyed":false,"deletion_time":"2026-01-01T00:00:00Z""#,
                "vault kv undelete -versions=3 secret/app",
            ),
        ] {
            let body =
                format!(r#"{{"data":{{"data":null,"metadata":{{"version":3,{metadata}}}}}}}"#);
            let error = read(KvVersion::V2, &body).expect_err(reason);
            assert!(error.contains(reason), "`{error}` lacks `{reason}`");
        }
    }

    #[test]
    fn garbage_is_told_without_its_content() {
        for body in ["", "hunter2", r#"{"data":"hunter2"}"#, r#"{"data":["hunter2"]}"#] {
            for kv in [KvVersion::V1, KvVersion::V2] {
                let error = read(kv, body).expect_err(body);
                assert!(!error.contains("hunter2"), "{error}");
            }
        }
        let error = read(KvVersion::V2, r#"{"data":{"data":["hunter2"],"metadata":{}}}"#);
        assert!(!error.expect_err("no object").contains("hunter2"));
    }
}
