//! What an engine answers that is no key-value store: data, and when it ends.
//!
//! PURE. An end is a lease, or is written in the data: a certificate's `expiration`, a token's
//! `ttl`, the time until a static role's password is rotated.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    secret::{Json, SecretData},
    source::version::Version,
};

/// A moment after a rotation, so that the new password is there when it is looked at.
const AFTER_ROTATION: Duration = Duration::from_secs(1);

/// A secret, and how long it is good.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) data: SecretData,
    pub(super) version: Version,
    pub(super) end: End,
}

/// When a secret ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// With a lease; a duration of zero has no end that Vault knows.
    Lease { id: String, duration: Duration, renewable: bool },
    /// By itself, after this time.
    Own(Duration),
    /// It is replaced after this time; until then it is as good as any.
    Rotation(Duration),
    /// It says nothing of an end.
    Unknown,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    lease_id: String,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// What some engines write beside the secret itself.
#[derive(Deserialize)]
struct Notes {
    expiration: Option<Value>,
    serial_number: Option<Value>,
    #[serde(alias = "token_ttl")]
    ttl: Option<Value>,
    last_vault_rotation: Option<Value>,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerError {
    /// It is not one of Vault's.
    Garbage,
    /// There is no data in it.
    NoData,
}

impl Answer {
    /// The answer in `body`, which came at `now`.
    pub(super) fn parse(body: &[u8], now: SystemTime) -> Result<Self, AnswerError> {
        // A write that returns nothing has an empty body.
        if body.is_empty() {
            return Err(AnswerError::NoData);
        }
        let body: Body<'_> = serde_json::from_slice(body).map_err(|_| AnswerError::Garbage)?;
        let data = body.data.filter(|data| data.get() != "null").ok_or(AnswerError::NoData)?;
        let json = Json::parse(data.get()).map_err(|_| AnswerError::Garbage)?;
        json.members().ok_or(AnswerError::Garbage)?;
        let notes: Notes = serde_json::from_str(data.get()).map_err(|_| AnswerError::Garbage)?;
        let serial = notes.serial_number.as_ref().and_then(Value::as_str).map(str::to_owned);
        let version = Version::named(serial, Some(now));
        Ok(Self { end: end(&body, &notes, now), data: json.compact().into(), version })
    }
}

fn end(body: &Body<'_>, notes: &Notes, now: SystemTime) -> End {
    let seconds = |note: &Option<Value>| note.as_ref()?.as_u64().map(Duration::from_secs);
    if !body.lease_id.is_empty() {
        let duration = Duration::from_secs(body.lease_duration);
        let id = body.lease_id.clone();
        return End::Lease { id, duration, renewable: body.renewable };
    }
    let expires = seconds(&notes.expiration).map(|since| SystemTime::UNIX_EPOCH + since);
    if let Some(expires) = expires {
        // By a clock that is wrong by more than its life it has ended before; then it is not kept.
        let left = expires.duration_since(now).unwrap_or_default();
        return if left.is_zero() { End::Unknown } else { End::Own(left) };
    }
    match seconds(&notes.ttl).filter(|ttl| !ttl.is_zero()) {
        Some(ttl) if notes.last_vault_rotation.is_some() => End::Rotation(ttl + AFTER_ROTATION),
        Some(ttl) => End::Own(ttl),
        // Vault says 0 while a rotation is late; to ask again at once would not hurry it.
        None => End::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn end_of(body: &str) -> End {
        Answer::parse(body.as_bytes(), at(1000)).expect(body).end
    }

    #[test]
    fn every_kind_of_end_is_known() {
        let lease = |seconds, renewable| End::Lease {
            id: "database/creds/web/x".to_owned(),
            duration: Duration::from_secs(seconds),
            renewable,
        };
        for (body, end) in [
            (
                r#"{"lease_id":"database/creds/web/x","lease_duration":60,"renewable":true,"data":{"username":"a"}}"#,
                lease(60, true),
            ),
            (
                r#"{"lease_id":"database/creds/web/x","lease_duration":0,"renewable":false,"data":{"ttl":5}}"#,
                lease(0, false),
            ),
            (
                r#"{"lease_id":"","data":{"certificate":"c","expiration":1300,"serial_number":"01:02"}}"#,
                End::Own(Duration::from_mins(5)),
            ),
            (r#"{"data":{"expiration":900}}"#, End::Unknown),
            (
                r#"{"data":{"password":"p","ttl":59,"last_vault_rotation":"2026-01-01T00:00:00Z","rotation_period":60}}"#,
                End::Rotation(Duration::from_mins(1)),
            ),
            (
                r#"{"data":{"password":"p","ttl":0,"last_vault_rotation":"2026-01-01T00:00:00Z"}}"#,
                End::Unknown,
            ),
            (r#"{"data":{"token":"t","ttl":3600}}"#, End::Own(Duration::from_hours(1))),
            // KV of version 1 and others name a duration that is only advice.
            (r#"{"lease_duration":2764800,"data":{"code":"123456"}}"#, End::Unknown),
        ] {
            assert_eq!(end_of(body), end, "{body}");
        }
    }

    #[test]
    fn a_certificate_is_named_by_its_serial_number() {
        let body = br#"{"data":{"expiration":1300,"serial_number":"01:02"}}"#;
        let version = Answer::parse(body, at(1000)).expect("an answer").version;
        assert_eq!(version, Version::named(Some("01:02".to_owned()), Some(at(1000))));
    }

    #[test]
    fn an_answer_without_data_is_none() {
        let error = |body: &str| Answer::parse(body.as_bytes(), at(0)).expect_err(body);
        assert_eq!(error(""), AnswerError::NoData);
        assert_eq!(error(r#"{"data":null,"auth":{"client_token":"x"}}"#), AnswerError::NoData);
        for body in ["[", r#"{"data":"hunter2"}"#, r#"{"data":["hunter2"]}"#] {
            assert_eq!(error(body), AnswerError::Garbage);
        }
    }
}
