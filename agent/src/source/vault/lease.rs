//! What an engine gave for a time: by a lease that Vault keeps, or by an end that is written in it.
//!
//! PURE. Knows which of Vault's answers have an end; knows nothing of requests.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use mayfly_spec::Location;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{life::Life, seconds::seconds, token::Token};
use crate::source::contract::Fetched;

/// A secret that ends.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    /// Vault's name of it. A certificate has none: it cannot be renewed or taken back by it.
    pub(super) id: Option<String>,
    /// Whether it can be made to live longer.
    pub(super) renewable: bool,
    /// How long it is good; none if Vault knows no end.
    pub(super) life: Option<Life>,
    /// With which token it was taken, and ends.
    pub(super) token: Rc<Token>,
    /// The secret itself.
    pub(super) fetched: Fetched,
}

impl Lease {
    /// The secret, and when to look at it again: before it ends, and before its token does.
    pub(super) fn fetched(&self) -> Fetched {
        let own = self.life.map(|life| life.due);
        let tokens = self.token.life.get().map(|life| life.due).filter(|_| self.id.is_some());
        Fetched { due: own.into_iter().chain(tokens).min(), ..self.fetched.clone() }
    }

    /// Whether it is still good when it is asked for with `token`: a lease ends with its token, and
    /// so has to be taken anew with the one that replaces it.
    pub(super) fn is_of(&self, token: &Token) -> bool {
        self.id.is_none() || self.token.text() == token.text()
    }

    /// Whether it is time to renew or replace it.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.life.is_some_and(|life| life.is_due(now))
    }

    /// The same lease, of which nobody could say whether it goes on: it is asked about again after
    /// half of what is left. None if there is nothing left to wait for.
    pub(super) fn postponed(&self, now: Instant) -> Option<Self> {
        let life = self.life?.postponed(now);
        (!life.is_over(life.due)).then(|| Self { life: Some(life), ..self.clone() })
    }

    /// The same lease after a renewal, if that is worth having.
    pub(super) fn renewed(&self, granted: Duration, asked: Instant, jitter: f64) -> Option<Self> {
        let life = self.life?.renewed(granted, asked, jitter)?;
        Some(Self { life: Some(life.no_sooner_than(self.token.life.get())), ..self.clone() })
    }
}

/// For how long a renewal was granted.
pub(super) fn duration(body: &[u8]) -> Option<Duration> {
    #[derive(Deserialize)]
    struct Renewal {
        lease_duration: Value,
    }
    let Renewal { lease_duration } = serde_json::from_slice(body).ok()?;
    seconds(&lease_duration)
}

/// The name of the lease in an answer that nobody has taken.
pub(super) fn id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Given {
        lease_id: String,
    }
    let Given { lease_id } = serde_json::from_slice(body).ok()?;
    (!lease_id.is_empty()).then_some(lease_id)
}

/// Every lease, by what was asked for.
pub(super) type Leases = BTreeMap<Location, Lease>;
