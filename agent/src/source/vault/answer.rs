//! What an engine answers that is no key-value store: data, and when it ends.
//!
//! PURE.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    end::{Deed, End, Kind, Notes, end},
    seconds::seconds,
    verdict,
};
use crate::{
    secret::{Json, SecretData},
    source::version::Version,
};

/// A secret, and how long it is good.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) data: SecretData,
    pub(super) version: Version,
    pub(super) end: End,
    pub(super) warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    lease_id: String,
    #[serde(default)]
    lease_duration: Value,
    #[serde(default)]
    renewable: bool,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    wrap_info: Option<Value>,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AnswerError {
    /// It is not one of Vault's.
    Garbage,
    /// There is no data in it; and what Vault says to that.
    NoData(Vec<String>),
    /// Somebody has to agree first.
    Wrapped,
}

/// What was asked of which engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) kind: &'a Kind,
    pub(super) path: &'a str,
    pub(super) deed: Deed,
}

impl Answer {
    /// The answer in `body` to what was asked at `now`.
    pub(super) fn parse(
        body: &[u8],
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Result<Self, AnswerError> {
        let warnings = verdict::warnings(body);
        // A write that returns nothing has an empty body.
        if body.is_empty() {
            return Err(AnswerError::NoData(warnings));
        }
        let body: Body<'_> = serde_json::from_slice(body).map_err(|_| AnswerError::Garbage)?;
        let Some(data) = body.data.filter(|data| data.get() != "null") else {
            let is_wrapped = body.wrap_info.is_some();
            return Err(if is_wrapped {
                AnswerError::Wrapped
            } else {
                AnswerError::NoData(warnings)
            });
        };
        let json = Json::parse(data.get()).map_err(|_| AnswerError::Garbage)?;
        json.members().ok_or(AnswerError::Garbage)?;
        let notes: Notes = serde_json::from_str(data.get()).map_err(|_| AnswerError::Garbage)?;
        let end = body.lease().unwrap_or_else(|| {
            let Asked { kind, path, deed } = asked;
            end(kind, path, deed, &notes, now)
        });
        let version = version(&notes, &end, now);
        Ok(Self { end, data: json.compact().into(), version, warnings })
    }
}

impl Body<'_> {
    fn lease(&self) -> Option<End> {
        let duration = seconds(&self.lease_duration).unwrap_or(Duration::ZERO);
        let (id, renewable) = (self.lease_id.clone(), self.renewable);
        (!id.is_empty()).then_some(End::Lease { id, duration, renewable })
    }
}

/// What is rotated is as old as its last rotation; anything else was made just now.
fn version(notes: &Notes, end: &End, now: SystemTime) -> Version {
    let serial = notes.serial_number.as_str().map(str::to_owned);
    let rotated = notes.last_vault_rotation.as_str().filter(|_| matches!(end, End::Rotation(_)));
    let rotated = rotated.and_then(|text| humantime::parse_rfc3339(text).ok());
    Version::named(serial, Some(rotated.unwrap_or(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn parse(body: &str) -> Result<Answer, AnswerError> {
        let kind = Kind { name: "pki".to_owned(), mount: Some("pki/".to_owned()) };
        let asked = Asked { kind: &kind, path: "pki/issue/web", deed: Deed::Write };
        Answer::parse(body.as_bytes(), asked, at(1000))
    }

    #[test]
    fn a_lease_is_an_end_whatever_the_engine() {
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
                r#"{"lease_id":"database/creds/web/x","lease_duration":-1,"renewable":false,"data":{"ttl":5}}"#,
                lease(0, false),
            ),
            // KV of version 1 and others name a duration that is only advice.
            (r#"{"lease_duration":2764800,"data":{"code":"123456"}}"#, End::Unknown),
        ] {
            assert_eq!(parse(body).expect(body).end, end, "{body}");
        }
    }

    #[test]
    fn a_certificate_is_named_by_its_serial_number() {
        let body = r#"{"data":{"expiration":1300,"serial_number":"01:02"},"warnings":["tttl?"]}"#;
        let answer = parse(body).expect("an answer");
        assert_eq!(answer.version, Version::named(Some("01:02".to_owned()), Some(at(1000))));
        assert_eq!(
            (answer.end, answer.warnings),
            (End::Own(Duration::from_mins(5)), vec!["tttl?".to_owned()])
        );
    }

    #[test]
    fn an_answer_without_data_is_none() {
        let error = |body: &str| parse(body).expect_err(body);
        assert_eq!(error(""), AnswerError::NoData(vec![]));
        let ignored = r#"{"data":null,"auth":{"client_token":"x"},"warnings":["ignored"]}"#;
        assert_eq!(error(ignored), AnswerError::NoData(vec!["ignored".to_owned()]));
        assert_eq!(error(r#"{"data":null,"wrap_info":{"token":"x"}}"#), AnswerError::Wrapped);
        for body in ["[", r#"{"data":"hunter2"}"#, r#"{"data":["hunter2"]}"#] {
            assert_eq!(error(body), AnswerError::Garbage);
        }
    }
}
