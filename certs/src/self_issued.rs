//! An identity that the replica makes for itself, and whose certificate authority it publishes itself.
//!
//! EDGE. Three loops that share a picture of the bundles: the keeper publishes and renews, the prover
//! shakes hands with our own port, the sweeper looks for what is of no use.

mod keeper;
mod place;
mod places;
mod proving;
mod schedule;
mod sweeping;

use std::sync::Arc;

use kube::Client;
use rustls::crypto::CryptoProvider;
use tokio::sync::{mpsc, watch};

use crate::{
    bundle::{Der, Entry},
    event::Listener,
    issue::{Identity, IssueError, Wish},
    pace::Jitter,
    proof::Prover,
    registration::Target,
    resolver::Resolver,
    standing::Standing,
    sweep::Sweep,
    timing::{Timing, WallClock},
};
use keeper::Keeper;
use places::Places;
use proving::Proving;
use sweeping::Sweeping;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who we are, under what names, for how long.
    pub wish: Wish,
    /// The `MutatingWebhookConfiguration` without which we are not asked.
    pub configuration: Target,
    /// Others that are to trust us if they are there.
    pub others: Vec<Target>,
    /// How long everything takes.
    pub timing: Timing,
}

/// What is outside of us.
#[derive(Clone)]
pub struct Surroundings {
    /// The API server.
    pub client: Client,
    /// The time of day.
    pub clock: WallClock,
    /// Chance.
    pub jitter: Jitter,
    /// The cryptography.
    pub provider: Arc<CryptoProvider>,
    /// Our own port.
    pub prover: Prover,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// What the keeper shows to the other loops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Picture {
    /// What every bundle of the first configuration trusts.
    trusted: Vec<Der>,
    /// The certificate authority of what is served.
    serving: Option<Der>,
    /// The other replicas' entries.
    others: Vec<Entry>,
}

/// A replica's own identity.
#[derive(Debug)]
pub struct SelfIssued {
    settings: Settings,
    surroundings: Surroundings,
    first: Identity,
    resolver: Arc<Resolver>,
    standing: Arc<Standing>,
}

impl SelfIssued {
    /// Makes the first identity; nothing is published yet.
    pub fn new(settings: Settings, surroundings: Surroundings) -> Result<Self, IssueError> {
        let first = settings.wish.issue((surroundings.clock)(), &surroundings.provider)?;
        let standing = Standing::new(settings.timing.patience);
        standing.needs_proof();
        Ok(Self {
            settings,
            surroundings,
            first,
            resolver: Arc::default(),
            standing: Arc::new(standing),
        })
    }

    /// What rustls asks for the certificate.
    pub fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.resolver)
    }

    /// Whether we are reached and trusted.
    pub fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing)
    }

    /// Publishes, proves, renews and repairs, for ever.
    pub async fn keep_fresh(self, listener: Listener) {
        let Surroundings { client, clock, jitter, prover, .. } = self.surroundings.clone();
        let timing = self.settings.timing.clone();
        let (show, picture) = watch::channel(Picture::default());
        let (found, useless) = mpsc::channel(1);
        let sweep = Sweep::new(client.clone(), self.settings.wish.replica.clone(), timing.answer);
        let places = Places::new(&self.settings, &client, jitter, &listener);
        let proving = Proving {
            prover,
            picture: picture.clone(),
            standing: Arc::clone(&self.standing),
            listener: Arc::clone(&listener),
            timing: timing.clone(),
        };
        let sweeping = Sweeping {
            sweep,
            picture,
            found,
            clock,
            jitter,
            timing,
            listener: Arc::clone(&listener),
        };
        let keeper = Keeper::new(self, places, show, listener);
        tokio::join!(keeper.run(useless), proving.run(), sweeping.run());
    }
}

#[cfg(test)]
mod tests;
