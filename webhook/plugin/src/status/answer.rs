//! What an agent answers to `mayfly-agent status --json`.
//!
//! PURE. Whoever owns the pod decides what is answered: every text becomes one bounded line, and what is none of the
//! words that are known is no answer.

use std::str::FromStr;

use mayfly_spec::Reference;
use serde::{Deserialize, Serialize};

use crate::foreign::line;

/// An agent's account of itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) state: Word,
    pub(crate) generation: u64,
    pub(crate) written: Option<String>,
    pub(crate) next_look: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) references: Vec<Secret>,
}

/// The state of an agent in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Word {
    Starting,
    Ready,
    Stale,
    Failed,
}

/// One secret of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Secret {
    /// Where it is.
    pub(crate) reference: String,
    /// How it stands.
    pub(crate) state: Standing,
    /// Which version the pod has.
    pub(crate) version: Option<String>,
    /// How long ago that was seen to be the present one.
    pub(crate) age_seconds: Option<u64>,
    /// When it is looked at next.
    pub(crate) next_look: Option<String>,
    /// Why it could not be read.
    pub(crate) error: Option<String>,
    /// What the backend said beside it.
    pub(crate) warnings: Vec<String>,
}

/// How one secret stands; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Standing {
    /// It is what the last look found.
    Fresh,
    /// There is none, and there may be none.
    Absent,
    /// It was kept, because the last look failed.
    Stale,
    /// There is nothing of it yet.
    Waiting,
}

impl Standing {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Fresh, Self::Absent, Self::Stale, Self::Waiting];

    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Absent => "absent",
            Self::Stale => "stale",
            Self::Waiting => "waiting",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawAnswer {
    state: Word,
    generation: u64,
    written: Option<String>,
    next_look: Option<String>,
    error: Option<RawFault>,
    references: Vec<RawSecret>,
}

#[derive(Deserialize)]
struct RawFault {
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawSecret {
    reference: String,
    state: Standing,
    version: Option<String>,
    age_seconds: Option<u64>,
    next_look: Option<String>,
    error: Option<RawFault>,
    #[serde(default)]
    warnings: Vec<String>,
}

impl Answer {
    /// Reads what an agent printed; `None` if it is something else.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let raw: RawAnswer = serde_json::from_slice(json).ok()?;
        Some(Self {
            state: raw.state,
            generation: raw.generation,
            written: text(raw.written),
            next_look: text(raw.next_look),
            error: fault(raw.error),
            references: raw.references.into_iter().map(Secret::of).collect(),
        })
    }
}

impl Secret {
    fn of(raw: RawSecret) -> Self {
        Self {
            reference: label(&raw.reference),
            state: raw.state,
            version: text(raw.version),
            age_seconds: raw.age_seconds,
            next_look: text(raw.next_look),
            error: fault(raw.error),
            warnings: raw.warnings.iter().map(|words| line(words)).collect(),
        }
    }
}

fn text(text: Option<String>) -> Option<String> {
    text.map(|text| line(&text))
}

fn fault(fault: Option<RawFault>) -> Option<String> {
    fault.map(|fault| line(&fault.message))
}

/// A sealed value's whole text would fill the screen.
fn label(reference: &str) -> String {
    let parsed = Reference::from_str(reference);
    line(&parsed.map_or_else(|_| reference.to_owned(), |reference| reference.label()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status() -> serde_json::Value {
        json!({"state": "stale", "generation": 7, "written": "2026-01-02T03:04:05Z", "mode": "sidecar",
            "configuration": "0123", "looked": "2026-01-02T03:05:05Z", "next-look": "2026-01-02T03:06:05Z",
            "error": {"class": "unreachable", "message": "vault: no\n\u{1b}[31m route"},
            "references": [{"reference": "vault:secret/app", "state": "stale", "version": "3",
                "fetched": "2026-01-02T03:04:05Z", "age-seconds": 60, "next-look": null, "error": null,
                "warnings": ["\u{202e}w"]}]})
    }

    #[test]
    fn what_an_agent_writes_is_read_and_nothing_of_it_is_obeyed() {
        let answer = Answer::parse(status().to_string().as_bytes()).expect("an answer");
        assert_eq!((answer.state, answer.generation), (Word::Stale, 7));
        assert_eq!(answer.error.as_deref(), Some("vault: no [31m route"));
        let [secret] = answer.references.try_into().expect("one");
        assert_eq!((&*secret.reference, secret.state), ("vault:secret/app", Standing::Stale));
        assert_eq!((secret.age_seconds, &*secret.warnings), (Some(60), &["w".to_owned()][..]));
    }

    #[test]
    fn what_is_no_account_is_no_answer() {
        for (field, value) in
            [("state", json!("fine\u{1b}c")), ("generation", json!(-1)), ("references", json!("x"))]
        {
            let mut other = status();
            other[field] = value;
            assert_eq!(Answer::parse(other.to_string().as_bytes()), None, "{field}");
        }
        assert_eq!(Answer::parse(b"\xff"), None);
    }
}
