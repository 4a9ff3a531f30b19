//! Whether the API server can reach and trust this replica, as far as the replica itself can tell.
//!
//! EDGE: tells the time.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use crate::certificate::{Untimely, Validity};

/// What keeps a replica from being ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing is served yet.
    NoCertificate,
    /// Nothing is served, because the files hold nothing that could be.
    Refused,
    /// What is served is not valid yet: the clock was ahead, and has stepped back.
    Early,
    /// What is served has ended.
    Expired,
    /// The API server has not shown the webhook configuration yet.
    Unread,
    /// The webhook configuration does not exist.
    Unregistered,
    /// The webhook configuration does not trust us.
    Untrusted,
    /// No handshake with our own port has succeeded lately.
    Unproven,
}

impl Obstacle {
    /// The obstacle in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoCertificate => "no certificate yet",
            Self::Refused => "the certificate files hold nothing to serve; the log says why",
            Self::Early => "the certificate is not valid yet",
            Self::Expired => "the certificate has expired",
            Self::Unread => "the webhook configuration has not been read yet",
            Self::Unregistered => "the webhook configuration does not exist",
            Self::Untrusted => "our certificate authority is not in the webhook configuration",
            Self::Unproven => "a handshake with our own port has not succeeded",
        }
    }
}

/// What is known, by whoever finds it out.
#[derive(Debug)]
pub struct Standing {
    patience: Duration,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    served: Option<Validity>,
    /// The files hold nothing that could be served.
    refused: bool,
    /// What is wrong with the bundle, and since when.
    distrust: Option<(Obstacle, Instant)>,
    proof: Proof,
}

/// What is known of handshakes with our own port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Proof {
    /// Nobody tries.
    #[default]
    Unasked,
    Awaited,
    Given,
    /// It was given once, and then no more.
    Withdrawn(Instant),
}

impl Standing {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, facts: Mutex::default() }
    }

    /// What keeps the replica from being ready, if anything does.
    pub fn obstacle(&self, now: SystemTime) -> Option<Obstacle> {
        let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let impatient = |since: Instant| since.elapsed() > self.patience;
        if let Some((obstacle, since)) = facts.distrust
            && (facts.proof == Proof::Awaited || impatient(since))
        {
            return Some(obstacle);
        }
        let Some(served) = facts.served else {
            return Some(if facts.refused { Obstacle::Refused } else { Obstacle::NoCertificate });
        };
        match (served.fault(now), facts.proof) {
            (Some(Untimely::Expired), _) => Some(Obstacle::Expired),
            (Some(Untimely::Early), _) => Some(Obstacle::Early),
            (_, Proof::Awaited) => Some(Obstacle::Unproven),
            (_, Proof::Withdrawn(since)) if impatient(since) => Some(Obstacle::Unproven),
            _ => None,
        }
    }

    /// When what is served ends.
    pub fn not_after(&self) -> Option<SystemTime> {
        let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.served.map(|served| served.not_after)
    }

    pub(crate) fn serves(&self, served: Validity) {
        self.change(|facts| facts.served = Some(served));
    }

    /// The files hold nothing that could be served.
    pub(crate) fn refused(&self) {
        self.change(|facts| facts.refused = true);
    }

    /// Nothing is ready before a handshake has succeeded.
    pub(crate) fn needs_proof(&self) {
        self.change(|facts| facts.proof = Proof::Awaited);
    }

    pub(crate) fn proven(&self, success: bool) {
        self.change(|facts| {
            facts.proof = match facts.proof {
                _ if success => Proof::Given,
                Proof::Given => Proof::Withdrawn(Instant::now()),
                proof => proof,
            }
        });
    }

    pub(crate) fn trusted(&self, distrust: Option<Obstacle>) {
        self.change(|facts| {
            let since = facts.distrust.map_or_else(Instant::now, |(_, since)| since);
            facts.distrust = distrust.map(|obstacle| (obstacle, since));
        });
    }

    fn change(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
