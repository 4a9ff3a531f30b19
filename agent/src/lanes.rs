//! Fetches under way: side by side, in lanes that do not wait for each other.
//!
//! A lane is what shares a backend, a region and an identity. So many of a lane are under way at once;
//! what hangs in one takes nothing from another. It knows no versions, no files and no schedule.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{FutureExt, LocalBoxFuture, pending},
    stream::FuturesUnordered,
};
use mayfly_spec::Location;
use tokio::time::timeout;

use crate::{
    fault::{Class, Fault},
    source::{Ask, Fetched, Source},
};

/// So many fetches of a lane at once: enough to hide the network's delay, few enough to keep the
/// connections, of which each costs a TLS handshake and its buffers, cheap.
const CONCURRENT: usize = 8;
/// Every backend has limits of its own, which are far below this: it is for what nobody thought of.
const LIMIT: Duration = Duration::from_mins(10);

/// What came of one fetch.
pub type Answers = Vec<(Location, Result<Fetched, Fault>)>;

/// Everything that is under way, or waits for its turn.
pub struct Lanes<'a, S> {
    source: &'a S,
    running: FuturesUnordered<LocalBoxFuture<'a, (String, Answers)>>,
    queues: BTreeMap<String, Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    running: usize,
    waiting: VecDeque<Vec<Ask>>,
}

impl<'a, S: Source> Lanes<'a, S> {
    /// Lanes of `source` on which nothing is under way.
    pub fn new(source: &'a S) -> Self {
        Self { source, running: FuturesUnordered::new(), queues: BTreeMap::new() }
    }

    /// Fetches these, in as few calls as the source says.
    pub fn ask(&mut self, locations: Vec<Location>, held: impl Fn(&Location) -> Option<Fetched>) {
        for batch in self.source.batches(locations) {
            let Some(first) = batch.first() else { continue };
            let lane = self.source.lane(first);
            let ask = |location: Location| Ask { held: held(&location), location };
            let batch = batch.into_iter().map(ask).collect();
            self.queues.entry(lane.clone()).or_default().waiting.push_back(batch);
            self.start(&lane);
        }
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// What the next fetch brings that ends; never, if nothing is under way. Nothing is lost by
    /// whoever stops waiting.
    pub async fn next(&mut self) -> Answers {
        let Some((lane, answers)) = self.running.next().await else { return pending().await };
        if let Some(lane) = self.queues.get_mut(&lane) {
            lane.running -= 1;
        }
        self.start(&lane);
        answers
    }

    fn start(&mut self, name: &str) {
        let Some(lane) = self.queues.get_mut(name) else { return };
        while lane.running < CONCURRENT
            && let Some(batch) = lane.waiting.pop_front()
        {
            lane.running += 1;
            let (source, name) = (self.source, name.to_owned());
            self.running.push(async move { (name, fetch(source, batch).await) }.boxed_local());
        }
    }
}

/// An answer for each of the batch, whatever becomes of it.
async fn fetch(source: &impl Source, batch: Vec<Ask>) -> Answers {
    let answers = timeout(LIMIT, source.fetch_batch(&batch)).await.unwrap_or_default();
    let silence = || Fault::new(Class::Unreachable, "no answer");
    let mut answers = answers.into_iter();
    let answer = |ask: Ask| (ask.location, answers.next().unwrap_or_else(|| Err(silence())));
    batch.into_iter().map(answer).collect()
}

impl<S> fmt::Debug for Lanes<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("queues", &self.queues).finish_non_exhaustive()
    }
}
