//! What is held of each secret between looks, and what has just failed.
//!
//! A generation is made of all secrets, but not all of them are asked for together: each once a
//! round, and one with a time of its own, a lease or a certificate, also when that has come. What is
//! not asked for stays as it was read, and is overwritten when something newer takes its place.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use mayfly_spec::Location;
use tokio::time::Instant;

use crate::{
    fault::Class,
    source::{Ask, Fetched, Source, SourceError},
};

/// So many fetches at once: enough to hide the network's delay, few enough to keep the
/// connections, of which each costs a TLS handshake and its buffers, cheap.
const CONCURRENT: usize = 8;

/// The secrets that were read, the answers that nobody has looked at yet, and the faults.
#[derive(Debug, Default)]
pub struct Holdings {
    /// When the present round began: all fetches for one interval, however many looks they take.
    round: Option<Instant>,
    held: BTreeMap<Location, Held>,
    /// Answers that are not yet held.
    pub fresh: BTreeMap<Location, Fetched>,
    /// Secrets that could not be read in the last look, and why.
    pub faults: BTreeMap<Location, SourceError>,
}

#[derive(Debug)]
struct Held {
    fetched: Fetched,
    looked: Instant,
}

impl Holdings {
    /// Begins a look, and perhaps a round.
    pub fn begin(&mut self, new_round: bool) {
        if new_round {
            self.round = Some(Instant::now());
        }
        self.faults.clear();
    }

    /// Fetches those of `locations` that are due, all at once, and keeps each batch's answers as
    /// they come, so that nothing is lost if this is cut short.
    pub async fn fetch(
        &mut self,
        source: &impl Source,
        locations: impl Iterator<Item = &Location>,
    ) {
        let due = locations.filter(|location| self.is_due(location)).cloned().collect();
        let batches: Vec<Vec<Ask>> =
            source.batches(due).into_iter().map(|batch| self.asks(batch)).collect();
        let fetch = |batch: Vec<Ask>| async {
            let answers = source.fetch_batch(&batch).await;
            batch.into_iter().zip(answers)
        };
        let mut answers = stream::iter(batches).map(fetch).buffer_unordered(CONCURRENT);
        while let Some(answers) = answers.next().await {
            for (Ask { location, .. }, answer) in answers {
                match answer {
                    Ok(fetched) => drop(self.fresh.insert(location, fetched)),
                    Err(fault) => drop(self.faults.insert(location, fault)),
                }
            }
        }
    }

    fn is_due(&self, location: &Location) -> bool {
        self.held.get(location).is_none_or(|Held { fetched, looked }| {
            fetched.due.is_some_and(|due| due <= Instant::now())
                || self.round.is_some_and(|round| *looked < round)
        })
    }

    fn asks(&self, batch: Vec<Location>) -> Vec<Ask> {
        let held = |location: &Location| Some(self.held.get(location)?.fetched.clone());
        batch.into_iter().map(|location| Ask { held: held(&location), location }).collect()
    }

    /// Holds an answer.
    pub fn hold(&mut self, location: Location, fetched: Fetched) {
        self.held.insert(location, Held { fetched, looked: Instant::now() });
    }

    /// Holds every answer, for whoever has no use for older ones.
    pub fn hold_all(&mut self) {
        for (location, fetched) in std::mem::take(&mut self.fresh) {
            self.hold(location, fetched);
        }
    }

    /// Takes note of an answer that may not be used.
    pub fn refuse(&mut self, location: Location, fault: SourceError) {
        self.faults.insert(location, fault);
    }

    /// Lets go of what is no more.
    pub fn drop_missing(&mut self) {
        let missing = |location: &Location| {
            self.faults.get(location).is_some_and(|fault| fault.class == Class::Missing)
        };
        self.held.retain(|location, _| !missing(location));
    }

    /// What is held of the secret.
    pub fn get(&self, location: &Location) -> Option<&Fetched> {
        self.held.get(location).map(|held| &held.fetched)
    }

    /// Everything that is held.
    pub fn iter(&self) -> impl Iterator<Item = (&Location, &Fetched)> {
        self.held.iter().map(|(location, held)| (location, &held.fetched))
    }

    /// How long until the secret is due, if it has a time of its own.
    pub fn due(&self, location: &Location) -> Option<Duration> {
        let due = self.get(location)?.due?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// How long until the first of the secrets is due that have a time of their own. One that has
    /// just failed is not waited for: it is tried again when everything is that failed.
    pub fn next_due(&self) -> Option<Duration> {
        let good = self.iter().filter(|(location, _)| !self.faults.contains_key(location));
        good.filter_map(|(location, _)| self.due(location)).min()
    }

    /// Takes note that there was no answer, if there was none.
    pub fn miss(&mut self, location: &Location, fault: impl FnOnce() -> SourceError) {
        if !self.fresh.contains_key(location) && self.is_due(location) {
            self.faults.entry(location.clone()).or_insert_with(fault);
        }
    }
}
