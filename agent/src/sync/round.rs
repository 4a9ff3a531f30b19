//! A round: all fetches for one generation, however many looks they take.
//!
//! Between a look that failed in part and the next one the secrets that were read stay here, so
//! that each is asked for once in an interval. They are overwritten when the round ends.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use mayfly_spec::Location;
use tokio::time::Instant;

use crate::source::{Fetched, Source, SourceError};

/// So many fetches at once: enough to hide the network's delay, few enough to keep the
/// connections, of which each costs a TLS handshake and its buffers, cheap.
const CONCURRENT: usize = 8;

/// What has been fetched and what has failed.
#[derive(Debug, Default)]
pub struct Round {
    began: Option<Instant>,
    /// The secrets that were read.
    pub fetched: BTreeMap<Location, Fetched>,
    /// Those that were not, and why.
    pub faults: BTreeMap<Location, SourceError>,
}

impl Round {
    /// Begins a new round, or goes on with one that is younger than `interval`.
    pub fn begin(&mut self, interval: Duration) {
        if self.began.is_none_or(|began| began.elapsed() >= interval) {
            self.fetched.clear();
            self.began = Some(Instant::now());
        }
        self.faults.clear();
    }

    /// Fetches those of `locations` that are not here yet, all at once, and keeps each batch's
    /// answers as they come, so that nothing is lost if this is cut short.
    pub async fn fetch(
        &mut self,
        source: &impl Source,
        locations: impl Iterator<Item = &Location>,
    ) {
        let missing: Vec<Location> =
            locations.filter(|location| !self.fetched.contains_key(location)).cloned().collect();
        let fetch = |batch: Vec<Location>| async {
            let answers = source.fetch_batch(&batch).await;
            batch.into_iter().zip(answers)
        };
        let batches = source.batches(missing);
        let mut answers = stream::iter(batches).map(fetch).buffer_unordered(CONCURRENT);
        while let Some(answers) = answers.next().await {
            for (location, answer) in answers {
                match answer {
                    Ok(fetched) => drop(self.fetched.insert(location, fetched)),
                    Err(fault) => drop(self.faults.insert(location, fault)),
                }
            }
        }
    }

    /// Drops an answer that may not be used.
    pub fn refuse(&mut self, location: Location, fault: SourceError) {
        self.fetched.remove(&location);
        self.faults.insert(location, fault);
    }

    /// Takes note that there was no answer, if there was none.
    pub fn miss(&mut self, location: &Location, fault: impl FnOnce() -> SourceError) {
        if !self.fetched.contains_key(location) {
            self.faults.entry(location.clone()).or_insert_with(fault);
        }
    }

    /// Overwrites every secret.
    pub fn end(&mut self) {
        *self = Self::default();
    }
}
