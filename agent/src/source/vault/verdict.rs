//! Whose words an answer is: Vault's own, or those of somebody who stands between.
//!
//! PURE. Vault answers in JSON: what it gives has a `request_id`, what it refuses has `errors`.
//! Nobody else's "not found" or "forbidden" says anything of a secret, and nobody else's "here you
//! are" is one.

use std::{fmt, time::Duration};

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::fault::quoted;

/// A body of an answer.
pub(super) type Body = Zeroizing<Vec<u8>>;

/// So much of a stranger's page says who it is.
const FIRST_WORDS: usize = 120;
/// Nobody is left alone for longer, whatever is asked.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Why a call gave no data.
#[derive(Debug, Error)]
pub(super) enum ApiError {
    /// There was no answer; why.
    #[error("no answer")]
    Transport(String),
    /// Vault refused.
    #[error("a refusal")]
    Status(Refusal),
    /// Somebody else answered.
    #[error("the answer of somebody else")]
    Foreign(Foreign),
    /// The answer is not what Vault would say.
    #[error("no answer of Vault's")]
    Garbage,
}

/// An answer of Vault's own that is not a success.
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// Vault's own words: its errors, and where there are none its warnings.
    pub(super) errors: Vec<String>,
    /// How long it wants not to be asked.
    pub(super) retry_after: Option<Duration>,
    /// The whole answer: a deleted version's metadata comes with a 404.
    pub(super) body: Body,
}

/// An answer that is not Vault's.
#[derive(Debug)]
pub(super) struct Foreign {
    /// Who was asked.
    pub(super) address: String,
    /// The HTTP status.
    pub(super) status: u16,
    /// What it is.
    pub(super) form: Form,
    /// How long they want not to be asked.
    pub(super) retry_after: Option<Duration>,
}

/// What somebody else's answer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Words for a person, the first of them.
    Words(String),
    /// A certificate or a list of revoked ones, as it is.
    Pem,
    /// Something that may be a secret, and is not shown.
    Unknown,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({})", self.status)
    }
}

impl Refusal {
    /// Whether Vault says one of these words, in whatever letters.
    pub(super) fn says(&self, words: &[&str]) -> bool {
        let said = self.errors.join("\n").to_lowercase();
        words.iter().any(|words| said.contains(words))
    }
}

/// What Vault says where it gives no reason of its own.
const BARE: [&str; 3] = ["permission denied", "invalid token", "bad token"];

impl Refusal {
    /// Whether Vault names no reason but that it is not permitted.
    pub(super) fn is_bare(&self) -> bool {
        let lines = self.errors.iter().flat_map(|said| said.lines());
        let mut lines = lines.map(|line| line.trim_start_matches([' ', '\t', '*']).trim());
        !self.errors.is_empty()
            && lines
                .all(|line| line.is_empty() || BARE.contains(&line) || line.ends_with("occurred:"))
    }
}

/// What every answer of Vault's has some part of.
#[derive(Deserialize)]
struct Envelope {
    request_id: Option<String>,
    errors: Option<Vec<String>>,
    warnings: Option<Vec<String>>,
}

/// What Vault says beside an answer.
pub(super) fn warnings(body: &[u8]) -> Vec<String> {
    let envelope: Option<Envelope> = serde_json::from_slice(body).ok();
    let said = envelope.and_then(|it| it.warnings).unwrap_or_default();
    said.iter().map(|words| quoted(words)).collect()
}

/// Whether the answer is wrapped in a token: somebody has to agree first.
pub(super) fn is_wrapped(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Wrapping {
        wrap_info: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice(body).is_ok_and(|it: Wrapping| it.wrap_info.is_some())
}

/// What an answer of `address` is worth.
pub(super) fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Body,
    address: &str,
) -> Result<(), ApiError> {
    let envelope: Option<Envelope> = serde_json::from_slice(body).ok();
    let is_data = envelope.as_ref().is_some_and(|it| it.request_id.is_some());
    let is_nothing = status == StatusCode::NO_CONTENT && body.is_empty();
    if status.is_success() && (is_data || is_nothing) {
        return Ok(());
    }
    let (status, retry_after) = (status.as_u16(), retry_after(headers));
    if let Some(Envelope { errors, warnings, .. }) =
        envelope.filter(|it| status >= 400 && (is_data || it.errors.is_some()))
    {
        let errors = errors.filter(|it| !it.is_empty()).or(warnings).unwrap_or_default();
        Err(ApiError::Status(Refusal { status, errors, retry_after, body: body.clone() }))
    } else {
        let (address, form) = (address.to_owned(), form(status, headers, body));
        Err(ApiError::Foreign(Foreign { address, status, form, retry_after }))
    }
}

/// What was given may be a secret of an engine that does not speak JSON, unless it is a page.
fn form(status: u16, headers: &HeaderMap, body: &[u8]) -> Form {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default();
    let text = String::from_utf8_lossy(body.get(..8192).unwrap_or(body));
    let begins = |words: &str| text.trim_start().starts_with(words);
    let is_page = kind.starts_with("text/html") || begins("<");
    if status < 300 && (kind.starts_with("application/p") || begins("-----BEGIN")) {
        Form::Pem
    } else if status < 300 && !is_page {
        Form::Unknown
    } else {
        let text = if is_page { without_tags(&text) } else { text.into_owned() };
        Form::Words(quoted(&text).chars().take(FIRST_WORDS).collect())
    }
}

fn without_tags(page: &str) -> String {
    let pieces =
        page.split('<').map(|piece| piece.rsplit_once('>').map_or(piece, |(_, text)| text));
    pieces.collect::<Vec<_>>().join(" ")
}

/// `Retry-After` in seconds, as Vault and most balancers have it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number beyond all numbers is a long wait, too.
    let seconds = is_number.then(|| text.parse().unwrap_or(u64::MAX))?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, kind: &'static str, body: &str) -> Result<(), ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        headers.insert(header::RETRY_AFTER, http::HeaderValue::from_static("7"));
        let status = StatusCode::from_u16(status).expect("a status");
        judge(status, &headers, &Zeroizing::new(body.as_bytes().to_vec()), "https://vault")
    }

    #[test]
    fn only_vaults_own_words_are_its_answer() {
        let json = "application/json";
        let data = r#"{"request_id":"1","data":{"a":1}}"#;
        judged(200, json, data).expect("data");
        judged(204, "", "").expect("done");
        let gone = r#"{"request_id":"1","data":{"data":null,"metadata":{}}}"#;
        for (status, body) in [
            (404, r#"{"errors":[]}"#),
            (404, gone),
            (403, r#"{"errors":["permission denied"]}"#),
            (503, r#"{"errors":["Vault is sealed"]}"#),
        ] {
            let judged = judged(status, json, body);
            let Err(ApiError::Status(refusal)) = judged else { panic!("{body}: {judged:?}") };
            assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
        }
        let page = "<html><head><title>Sign in</title></head><body>to the hotel</body></html>";
        for (status, kind, body, form) in [
            (200, "text/html", page, Form::Words("Sign in to the hotel".to_owned())),
            (403, "text/html", page, Form::Words("Sign in to the hotel".to_owned())),
            (404, "text/plain", "no such backend", Form::Words("no such backend".to_owned())),
            (404, json, r#"{"message":"x"}"#, Form::Words(r#"{"message":"x"}"#.to_owned())),
            (
                403,
                json,
                r#"{"errors":[{"message":"x"}]}"#,
                Form::Words(r#"{"errors":[{"message":"x"}]}"#.to_owned()),
            ),
            (200, json, r#"{"password":"hunter2"}"#, Form::Unknown),
            (200, "text/plain", "hunter2", Form::Unknown),
            (200, json, "", Form::Unknown),
            (200, "application/pem-certificate-chain", "-----BEGIN CERTIFICATE-----", Form::Pem),
        ] {
            let judged = judged(status, kind, body);
            let Err(ApiError::Foreign(foreign)) = judged else { panic!("{body}: {judged:?}") };
            assert_eq!((foreign.status, foreign.form), (status, form), "{body}");
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_heeded_and_bounded() {
        let after = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().expect(text));
            retry_after(&headers)
        };
        assert_eq!(after("30"), Some(Duration::from_secs(30)));
        assert_eq!(after("99999999999999999999999"), Some(LONGEST_WAIT));
        assert_eq!(after("-1"), None);
        assert_eq!(after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }

    #[test]
    fn a_refusal_that_names_a_reason_is_told_from_one_that_does_not() {
        let refusal = |said: &str| Refusal {
            status: 403,
            errors: vec![said.to_owned()],
            retry_after: None,
            body: Body::default(),
        };
        for said in [
            "permission denied",
            "1 error occurred:\n\t* permission denied\n\n",
            "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
        ] {
            assert!(refusal(said).is_bare(), "{said}");
        }
        let egp = "2 errors occurred:\n\t* egp standard policy \"root/hours\" evaluation resulted in denial.\n\t* permission denied\n\n";
        assert!(!refusal(egp).is_bare());
        assert!(refusal("Vault is Sealed").says(&["sealed"]));
    }

    #[test]
    fn what_vault_says_beside_an_answer_is_found() {
        let body = br#"{"request_id":"1","warnings":["Endpoint ignored: [tttl]"],"data":{}}"#;
        assert_eq!(warnings(body), ["Endpoint ignored: [tttl]"]);
        assert!(warnings(br#"{"request_id":"1","warnings":null}"#).is_empty());
    }
}
