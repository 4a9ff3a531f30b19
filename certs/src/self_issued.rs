//! An identity that the replica makes for itself, and whose certificate authority it publishes itself.
//!
//! EDGE. Three loops that share a picture of the bundles: the keeper publishes and renews, the prover
//! shakes hands with our own port, the sweeper looks for what is of no use.

mod keeper;

use std::{collections::BTreeSet, sync::Arc};

use kube::Client;
use rustls::crypto::CryptoProvider;
use tokio::sync::{mpsc, watch};

use crate::{
    bundle::{Der, Entry},
    event::{Event, Listener},
    issue::{Identity, IssueError, Wish},
    pace::Jitter,
    proof::Prover,
    registration::Registration,
    resolver::Resolver,
    standing::Standing,
    sweep::Sweep,
    timing::{Timing, WallClock},
};
use keeper::Keeper;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who we are, under what names, for how long.
    pub wish: Wish,
    /// The name of the `MutatingWebhookConfiguration`.
    pub configuration: String,
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
    /// What every bundle trusts.
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
        let registration =
            Registration::new(client, self.settings.configuration.clone(), timing.answer);
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
        let keeper = Keeper::new(self, registration, show, listener);
        tokio::join!(keeper.run(useless), proving.run(), sweeping.run());
    }
}

/// Shakes hands with our own port: soon after each change, and now and then.
struct Proving {
    prover: Prover,
    picture: watch::Receiver<Picture>,
    standing: Arc<Standing>,
    listener: Listener,
    timing: Timing,
}

impl Proving {
    async fn run(mut self) {
        let (mut pause, mut proven) = (self.timing.proof, false);
        loop {
            tokio::select! {
                Ok(()) = self.picture.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
            let Picture { trusted, serving, .. } = self.picture.borrow_and_update().clone();
            if !serving.is_some_and(|serving| trusted.contains(&serving)) {
                continue;
            }
            let outcome = (self.prover)(trusted).await;
            self.standing.proven(outcome.is_ok());
            match outcome {
                Ok(()) if proven => pause = self.timing.proof,
                Ok(()) => {
                    (pause, proven) = (self.timing.proof, true);
                    (self.listener)(Event::Proven);
                }
                Err(error) => {
                    (pause, proven) = (self.timing.second_proof, false);
                    (self.listener)(Event::Fault(error.into()));
                }
            }
        }
    }
}

/// Looks for entries of no use, now and then.
struct Sweeping {
    sweep: Sweep,
    picture: watch::Receiver<Picture>,
    found: mpsc::Sender<BTreeSet<Der>>,
    clock: WallClock,
    jitter: Jitter,
    timing: Timing,
    listener: Listener,
}

impl Sweeping {
    async fn run(self) {
        loop {
            let pause = self.timing.sweep.mul_f64(0.5 + (self.jitter)());
            tokio::time::sleep(pause).await;
            let others = self.picture.borrow().others.clone();
            let (useless, fault) = self.sweep.useless(&others, (self.clock)()).await;
            if let Some(fault) = fault {
                (self.listener)(Event::Fault(fault.into()));
            }
            // The keeper ends with us.
            let _kept = self.found.send(useless).await;
        }
    }
}

#[cfg(test)]
mod tests;
