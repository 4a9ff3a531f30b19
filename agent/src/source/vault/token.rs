//! A token: what a login gives, what is held of it, and those that it has replaced.
//!
//! PURE: the time and the jitter are arguments.

use std::{cell::Cell, rc::Rc, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{life::Life, seconds::seconds};
use crate::secret::Secret;

/// A token as Vault gives it.
#[derive(Debug)]
pub(super) struct Login {
    /// The token itself: one word.
    pub(super) token: Secret,
    /// How long it lives; zero is without end, or unknown.
    pub(super) lease: Duration,
    /// Whether it can be made to live longer.
    pub(super) renewable: bool,
}

/// Why the answer to a login holds no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoToken {
    /// It is not one of Vault's.
    Garbage,
    /// Vault wants a second factor first.
    SecondFactor,
    /// Somebody has to agree first.
    Wrapped,
}

impl Login {
    /// From the answer to a login or a renewal.
    pub(super) fn parse(body: &[u8]) -> Result<Self, NoToken> {
        #[derive(Deserialize)]
        struct Answer {
            auth: Option<Granted>,
            wrap_info: Option<Value>,
        }
        #[derive(Deserialize)]
        struct Granted {
            #[serde(default)]
            client_token: String,
            #[serde(default)]
            lease_duration: Value,
            #[serde(default)]
            renewable: bool,
            mfa_requirement: Option<Value>,
        }
        let answer: Answer = serde_json::from_slice(body).map_err(|_| NoToken::Garbage)?;
        let Some(auth) = answer.auth else {
            let is_wrapped = answer.wrap_info.is_some();
            return Err(if is_wrapped { NoToken::Wrapped } else { NoToken::Garbage });
        };
        if auth.client_token.is_empty() && auth.mfa_requirement.is_some() {
            return Err(NoToken::SecondFactor);
        }
        let token = word(auth.client_token).ok_or(NoToken::Garbage)?;
        let lease = seconds(&auth.lease_duration).unwrap_or_default();
        Ok(Self { token, lease, renewable: auth.renewable })
    }
}

/// A token is one word of visible ASCII; anything else could not be sent as a header.
pub(super) fn word(text: String) -> Option<Secret> {
    let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let text = Secret::from(text);
    is_word.then_some(text)
}

/// A token, and how long it is good.
#[derive(Debug)]
pub(super) struct Token {
    text: Secret,
    pub(super) renewable: bool,
    pub(super) life: Cell<Option<Life>>,
}

impl Token {
    /// A token; `life` is none if it has no end that is known.
    pub(super) fn new(text: Secret, renewable: bool, life: Option<Life>) -> Self {
        Self { text, renewable, life: Cell::new(life) }
    }

    /// The token of a login that began at `asked`; `jitter` is from 0 to 1.
    pub(super) fn of(login: Login, asked: Instant, jitter: f64) -> Self {
        let Login { token, lease, renewable } = login;
        Self::new(token, renewable, Life::new(lease, asked, jitter))
    }

    /// The token itself: one word.
    pub(super) fn text(&self) -> &str {
        self.text.expose_text().unwrap_or_default()
    }

    /// Whether Vault keeps it, so that it can be ended. A batch token ends by itself only.
    pub(super) fn is_kept(&self) -> bool {
        !self.text().starts_with("hvb.") && !self.text().starts_with("b.")
    }

    /// Whether it is time to renew or replace it.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.life.get().is_some_and(|life| life.is_due(now))
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.life.get().is_some_and(|life| life.is_over(now))
    }
}

/// The token in use, and those that it has replaced and that may still live.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) held: Option<Rc<Token>>,
    pub(super) replaced: Vec<Rc<Token>>,
}

impl Tokens {
    /// Uses `token` from `now` on.
    pub(super) fn replace(&mut self, token: Rc<Token>, now: Instant) {
        self.replaced.extend(self.held.replace(token));
        self.replaced.retain(|token| !token.is_over(now));
    }

    /// Every one of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Rc<Token>> {
        self.held.iter().chain(&self.replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_without_a_token_says_what_is_wanted() {
        let parse = |body: &str| Login::parse(body.as_bytes());
        let login =
            parse(r#"{"auth":{"client_token":"hvs.x","lease_duration":-1,"renewable":true}}"#);
        assert_eq!(login.expect("a token").lease, Duration::ZERO);
        for (body, why) in [
            (
                r#"{"auth":{"client_token":"","mfa_requirement":{"mfa_request_id":"1"}}}"#,
                NoToken::SecondFactor,
            ),
            (r#"{"auth":null,"wrap_info":{"token":"hvs.y"}}"#, NoToken::Wrapped),
            (r#"{"auth":{"client_token":"two words"}}"#, NoToken::Garbage),
            (r#"{"auth":null}"#, NoToken::Garbage),
            ("[", NoToken::Garbage),
        ] {
            assert_eq!(parse(body).expect_err(body), why, "{body}");
        }
    }
}
