//! A token, and those that it has replaced. PURE: the time and the jitter are arguments.

use std::{cell::Cell, rc::Rc};

use tokio::time::Instant;

use super::{auth::Login, life::Life};
use crate::secret::Secret;

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
