//! Answers that are not from whom was asked: a balancer's page, a captive portal, a proxy's refusal.
//! PURE.
//!
//! They are told by status, address and first words. What is too long for a word is left out: a
//! server may quote what it was sent, and that holds tokens and signatures.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::Answer;
use crate::fault::quoted;

/// So much of an answer is looked at.
const LOOKED_AT: usize = 2048;
/// Enough to recognise a page by.
const LONGEST_WORDS: usize = 100;
/// Words that people write are shorter, tokens and signatures longer.
const LONGEST_WORD: usize = 24;
/// No server's word holds for longer.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What is said of an answer that is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    status: u16,
    words: String,
    /// How long it asks not to be asked again.
    pub(crate) retry_after: Option<Duration>,
}

impl Stranger {
    /// The stranger behind `answer`. A page and a refusal are quoted; anything else may be the
    /// right answer, damaged, and so hold a secret.
    pub(crate) fn of(answer: &Answer) -> Self {
        let is_quoted = !answer.status().is_success() || is_page(answer.body());
        let words = if is_quoted { first_words(answer.body()) } else { String::new() };
        let retry_after = retry_after(|name| answer.headers().get(name)?.to_str().ok());
        Self { status: answer.status().as_u16(), words, retry_after }
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP status {}", self.status)?;
        if self.words.is_empty() { Ok(()) } else { write!(f, ", `{}`", self.words) }
    }
}

/// Whether this is a page for a browser.
fn is_page(body: &[u8]) -> bool {
    let start = start(body).to_ascii_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.starts_with(tag))
}

/// The first words of a text or a page, without tags, on one line.
fn first_words(body: &[u8]) -> String {
    let text = without_tags(&start(body));
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if body.len() > LOOKED_AT {
        // It may be a long one's beginning.
        words.pop();
    }
    let short = words.iter().map(|word| if word.len() > LONGEST_WORD { "…" } else { word });
    let words: String = quoted(&short.collect::<Vec<_>>().join(" "));
    words.chars().take(LONGEST_WORDS).collect::<String>().trim_end().to_owned()
}

fn without_tags(page: &str) -> String {
    let mut is_in_tag = false;
    let text = page.chars().map(|character| {
        let was_in_tag = is_in_tag;
        is_in_tag = character == '<' || is_in_tag && character != '>';
        if was_in_tag || is_in_tag { ' ' } else { character }
    });
    text.collect()
}

fn start(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]).into_owned()
}

/// How long a server asks not to be asked again: `Retry-After`, in seconds or as a date, which
/// counts from the answer's own.
pub(crate) fn retry_after<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    let date = |text| httpdate::parse_http_date(text).ok();
    let after = header("retry-after")?.trim();
    let wait = if let Ok(seconds) = after.parse() {
        Duration::from_secs(seconds)
    } else {
        let (until, now): (SystemTime, SystemTime) = (date(after)?, date(header("date")?)?);
        until.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn of(status: u16, body: &str) -> Stranger {
        let mut answer = http::Response::new(Zeroizing::new(body.as_bytes().to_vec()));
        *answer.status_mut() = status.try_into().expect("a status");
        Stranger::of(&answer)
    }

    #[test]
    fn a_page_is_told_by_its_first_words() {
        let page = "<!DOCTYPE html>\n<html><head><title>503 Busy</title></head><body\nclass=\"a\"><h1>Come\nback</h1>";
        assert_eq!(of(200, page).words, "503 Busy Come back");
        assert_eq!(of(503, &"never ".repeat(500)).words.len(), 100);
        assert_eq!(of(404, "").words, "");
    }

    #[test]
    fn neither_tokens_nor_damaged_secrets_are_quoted() {
        let token = "x".repeat(LONGEST_WORD + 1);
        assert_eq!(of(403, &format!("you sent {token} to me")).words, "you sent … to me");
        let cut = format!("{}{token}", "<a>".repeat(LOOKED_AT / 3 - 3));
        assert_eq!(of(403, &cut).words, "");
        assert_eq!(of(200, "{\"SecretString\": \"hunter2").words, "");
    }

    #[test]
    fn a_wait_is_in_seconds_or_a_date_and_ends() {
        let wait = |after: Option<&'static str>| {
            let header = |name: &str| match name {
                "date" => Some("Mon, 30 Nov 2026 12:00:00 GMT"),
                _ => after,
            };
            retry_after(header).map(|wait| wait.as_secs())
        };
        assert_eq!(wait(Some("7")), Some(7));
        assert_eq!(wait(Some("Mon, 30 Nov 2026 12:01:00 GMT")), Some(60));
        assert_eq!(wait(Some("Mon, 30 Nov 2026 11:00:00 GMT")), Some(0));
        assert_eq!(wait(Some("18446744073709551615")), Some(3600));
        assert_eq!(wait(Some("soon")), None);
        assert_eq!(wait(Some("-1")), None);
        assert_eq!(wait(None), None);
    }
}
