//! Credentials that are held: had once however many wait for them, and renewed beside the work
//! before they end.
//!
//! While what is held is still good nobody waits for anything newer. A failed attempt is told to
//! everybody who has waited for it, so that many do not fail one after another.

use std::{
    cell::{Cell, RefCell},
    sync::{Arc, PoisonError},
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use tokio::{sync::Mutex, time::Instant};

use crate::source::{aws::clock::Clock, contract::SourceError};

/// Credentials are renewed from so long before they end, or in the last third of a shorter life:
/// at least one look falls into it, with the default interval.
const BEFORE_THE_END: Duration = Duration::from_mins(10);
/// After a renewal that failed the next one is not begun sooner.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(30);

/// What is held.
#[derive(Debug)]
pub(super) struct Keeper {
    clock: Clock,
    held: RefCell<Option<Held>>,
    turn: Mutex<()>,
    attempts: Cell<u64>,
    failure: RefCell<Option<SourceError>>,
    is_renewing: Cell<bool>,
    no_renewal_before: Cell<Option<Instant>>,
    shown: Shown,
}

/// How good the credentials are that are held.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Standing {
    /// For a while.
    Good(Credentials),
    /// For now; it is time for new ones.
    Ending(Credentials),
    /// There are none, or their time is over.
    Gone,
}

#[derive(Debug)]
struct Held {
    credentials: Credentials,
    renewed_from: Option<SystemTime>,
}

impl Keeper {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            held: RefCell::default(),
            turn: Mutex::default(),
            attempts: Cell::default(),
            failure: RefCell::default(),
            is_renewing: Cell::default(),
            no_renewal_before: Cell::default(),
            shown: Shown::default(),
        }
    }

    /// What is held now.
    pub(super) fn standing(&self) -> Standing {
        let (now, held) = (self.clock.now(), self.held.borrow());
        let Some(Held { credentials, renewed_from }) = held.as_ref() else {
            return Standing::Gone;
        };
        if renewed_from.is_none_or(|from| now < from) {
            Standing::Good(credentials.clone())
        } else if credentials.expiry().is_some_and(|end| now < end) {
            Standing::Ending(credentials.clone())
        } else {
            Standing::Gone
        }
    }

    /// Waits for credentials: those of `exchange`, or of whoever is at it already.
    pub(super) async fn obtain(
        &self,
        exchange: impl Future<Output = Result<Credentials, SourceError>>,
    ) -> Result<Credentials, SourceError> {
        let attempts = self.attempts.get();
        let _turn = self.turn.lock().await;
        if self.attempts.get() != attempts
            && let Some(failure) = self.failure.borrow().clone()
        {
            return Err(failure);
        }
        match self.standing() {
            Standing::Good(held) | Standing::Ending(held) => Ok(held),
            Standing::Gone => self.attempt(exchange).await,
        }
    }

    /// Whether somebody should be sent to renew what is held; from now on they are on their way.
    pub(super) fn begins_renewal(&self) -> bool {
        let may = self.no_renewal_before.get().is_none_or(|before| before <= Instant::now());
        may && !self.is_renewing.replace(true)
    }

    /// Renews what is held; if that fails, it is as good as before.
    pub(super) async fn renew(
        &self,
        exchange: impl Future<Output = Result<Credentials, SourceError>>,
    ) {
        let answer = {
            let _turn = self.turn.lock().await;
            self.attempt(exchange).await
        };
        if let Err(fault) = answer {
            let wait = fault.retry_after.unwrap_or_default().max(BETWEEN_RENEWALS);
            self.no_renewal_before.set(Some(Instant::now() + wait));
        }
        self.is_renewing.set(false);
    }

    async fn attempt(
        &self,
        exchange: impl Future<Output = Result<Credentials, SourceError>>,
    ) -> Result<Credentials, SourceError> {
        let answer = exchange.await;
        self.attempts.set(self.attempts.get() + 1);
        self.failure.replace(answer.as_ref().err().cloned());
        let credentials = answer?;
        self.shown.show(&credentials);
        self.held.replace(Some(Held::new(credentials.clone(), self.clock.now())));
        Ok(credentials)
    }

    /// Drops `used`, which AWS no longer takes, unless somebody has renewed it already.
    pub(super) fn forget(&self, used: &Credentials) {
        let is_used = |held: &mut Held| held.credentials.access_key_id() == used.access_key_id();
        self.held.borrow_mut().take_if(is_used);
    }

    /// Drops whatever is held.
    pub(super) fn forget_all(&self) {
        self.held.replace(None);
    }

    /// What shows the SDK the credentials that were had last: whoever calls has seen to them before.
    pub(super) fn provider(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(self.shown.clone())
    }
}

impl Held {
    fn new(credentials: Credentials, now: SystemTime) -> Self {
        let renewed_from = credentials.expiry().map(|end| {
            let life = end.duration_since(now).unwrap_or_default();
            end - BEFORE_THE_END.min(life / 3)
        });
        Self { credentials, renewed_from }
    }
}

#[derive(Debug, Clone, Default)]
struct Shown(Arc<std::sync::Mutex<Option<Credentials>>>);

impl Shown {
    fn show(&self, credentials: &Credentials) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
    }
}

impl ProvideCredentials for Shown {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let none = || CredentialsError::not_loaded("nobody has seen to them");
        future::ProvideCredentials::ready(shown.ok_or_else(none))
    }
}

#[cfg(test)]
mod tests;
