//! What is known of each secret: what is held, which version, what went wrong, when it is due.
//!
//! PURE: the time is an argument. Each secret has a state of its own; none waits for another's. It
//! refuses versions that go backwards until they are believed.

mod moment;
mod record;

use std::{collections::BTreeMap, time::Duration};

use mayfly_spec::{Location, Reference, Spec};
use tokio::time::Instant;

use crate::{
    assembly::View,
    fault::Fault,
    memory::{Memory, Remembered},
    schedule::Stage,
    source::Fetched,
};
pub use moment::{Moment, Round};
pub use record::Record;

/// A backend may ask to be left alone for so long; what it asks beyond that, nobody means.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// Every secret's state.
#[derive(Debug)]
pub struct Ledger {
    records: BTreeMap<Location, Record>,
    /// Until when a lane's backend asks to be left alone.
    left_alone: BTreeMap<String, Instant>,
}

impl Ledger {
    /// The states of all secrets of `spec`, with what is remembered of them; `lane` tells which of
    /// them share a backend.
    pub fn new(spec: &Spec, memory: &Memory, lane: impl Fn(&Location) -> String) -> Self {
        let locations = spec.files.entries().iter().flat_map(crate::group::locations);
        let interval = spec.refresh.interval.duration();
        let record = |location: &Location| {
            (location.clone(), Record::new(location, lane(location), interval))
        };
        let mut records: BTreeMap<_, _> = locations.map(record).collect();
        for (reference, remembered) in &memory.references {
            let location = reference.parse::<Reference>().map(|reference| reference.location);
            if let Some(record) = location.ok().and_then(|location| records.get_mut(&location)) {
                record.recall(remembered);
            }
        }
        Self { records, left_alone: BTreeMap::new() }
    }

    /// What is to be remembered of each secret.
    pub fn remembered(&self) -> BTreeMap<String, Remembered> {
        let known =
            |(location, record): (&Location, &Record)| (location.to_string(), record.remembered());
        self.records.iter().map(known).collect()
    }

    /// Every secret's state.
    pub fn records(&self) -> impl Iterator<Item = (&Location, &Record)> {
        self.records.iter()
    }

    /// Takes note that what is due is asked for, and says what that is.
    pub fn ask(&mut self, round: Round, now: Instant) -> Vec<Location> {
        let left_alone = &self.left_alone;
        let due = |record: &Record| due(record, left_alone, round).is_some_and(|due| due <= now);
        let due = self.records.iter_mut().filter(|(_, record)| due(record));
        due.map(|(location, record)| {
            record.ask(now);
            location.clone()
        })
        .collect()
    }

    /// When the next of them is due, as far as none is under way.
    pub fn next_due(&self, round: Round) -> Option<Instant> {
        self.records.values().filter_map(|record| due(record, &self.left_alone, round)).min()
    }

    /// When the secret is due.
    pub fn due(&self, record: &Record, round: Round) -> Option<Instant> {
        due(record, &self.left_alone, round)
    }

    /// What is held of a secret.
    pub fn held(&self, location: &Location) -> Option<Fetched> {
        self.records.get(location)?.held().cloned()
    }

    /// Takes note of an answer; the fault, if it is none that can be used.
    pub fn note(
        &mut self,
        location: &Location,
        answer: Result<Fetched, Fault>,
        now: Moment,
        stage: Stage,
        jitter: f64,
    ) -> Result<(), Fault> {
        let Some(record) = self.records.get_mut(location) else { return Ok(()) };
        let noted = record.note(answer, now, stage, jitter);
        if let Some(wait) = noted.as_ref().err().and_then(|fault| fault.retry_after) {
            let until = now.instant + wait.min(LONGEST_ASKED);
            let left_alone = self.left_alone.entry(record.lane().to_owned()).or_insert(until);
            *left_alone = until.max(*left_alone);
        }
        noted
    }

    /// Takes note of what has been under way for `limit`; whether anything has that had not before.
    pub fn note_slow(&mut self, limit: Duration, now: Instant) -> bool {
        let slow = |record: &mut Record| record.note_slow(limit, now);
        self.records.values_mut().map(slow).fold(false, |any, slow| any | slow)
    }

    /// Whether anything is under way that may be answered soon.
    pub fn awaits(&self) -> bool {
        self.records.values().any(Record::is_awaited)
    }

    /// When the next of those that are under way is slow.
    pub fn next_slow(&self, limit: Duration) -> Option<Instant> {
        self.records.values().filter_map(|record| record.slow_at(limit)).min()
    }

    /// Takes note that the time is over for whatever has not been answered.
    pub fn give_up(&mut self, limit: impl std::fmt::Display + Copy) {
        self.records.values_mut().for_each(|record| record.give_up(limit));
    }

    /// Whether everything has been answered since `since`, or is as good as: slow, or not to be asked.
    pub fn is_answered(&self, since: Instant, now: Instant) -> bool {
        let is_left_alone =
            |record: &Record| self.left_alone.get(record.lane()).is_some_and(|until| *until > now);
        self.records.values().all(|record| record.is_answered(since) || is_left_alone(record))
    }

    /// Everything, as it goes into the next generation.
    pub fn views(&self) -> BTreeMap<&Location, View<'_>> {
        self.records.iter().map(|(location, record)| (location, record.view())).collect()
    }

    /// Takes note that what is held of these is on the volume now.
    pub fn settle<'a>(&mut self, locations: impl IntoIterator<Item = &'a Location>) {
        for location in locations {
            if let Some(record) = self.records.get_mut(location) {
                record.settle();
            }
        }
    }
}

/// When a secret is due that is not under way: in each round once, and sooner after a failure or when
/// it has a time of its own; never before its backend wants to be asked.
fn due(record: &Record, left_alone: &BTreeMap<String, Instant>, round: Round) -> Option<Instant> {
    let due = record.due(round)?;
    Some(left_alone.get(record.lane()).map_or(due, |until| due.max(*until)))
}
