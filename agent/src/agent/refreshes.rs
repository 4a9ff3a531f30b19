//! Who has asked for a look, and when one may begin: never more often than once in ten seconds.
//!
//! PURE: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

use crate::refresh::{Outcome, Request};

/// The shortest time between two looks that were asked for.
const APART: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Refreshes {
    /// Who asks for a look that has not begun.
    waiting: Vec<Request>,
    /// Who waits for the outcome of the one that has.
    served: Vec<Request>,
    began: Option<Instant>,
}

impl Refreshes {
    pub(super) fn push(&mut self, request: Request) {
        self.waiting.push(request);
    }

    /// When the next look that was asked for may begin.
    pub(super) fn next(&self) -> Option<Instant> {
        let is_wanted = !self.waiting.is_empty() && self.served.is_empty();
        is_wanted.then(|| self.began.map(|began| began + APART))?
    }

    /// Whether a look begins now because somebody asked for it.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        let is_wanted = !self.waiting.is_empty() && self.served.is_empty();
        let begins = is_wanted && self.began.is_none_or(|began| now >= began + APART);
        if begins {
            self.served.append(&mut self.waiting);
            self.began = Some(now);
        }
        begins
    }

    /// Since when somebody waits for an outcome.
    pub(super) fn since(&self) -> Option<Instant> {
        self.began.filter(|_| !self.served.is_empty())
    }

    /// Tells all who wait.
    pub(super) fn tell(&mut self, outcome: &Outcome) {
        for request in self.served.drain(..) {
            // Who has gone away needs no answer.
            let _ = request.send(outcome.clone());
        }
    }
}
