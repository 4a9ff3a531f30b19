//! What the agent says of itself, from all that it knows. PURE.

use std::time::{Duration, SystemTime};

use mayfly_spec::{Location, Spec};
use tokio::time::Instant;

use crate::{
    assembly::{self, Assembly},
    fault::{Class, Fault},
    group::Group,
    ledger::{Ledger, Moment, Record, Round},
    memory::Memory,
    status::{ReferenceStatus, Standing, State, Status},
    timestamp::Timestamp,
};

/// All that is told of.
pub(super) struct Account<'a> {
    pub(super) spec: &'a Spec,
    pub(super) groups: &'a [Group],
    pub(super) ledger: &'a Ledger,
    pub(super) memory: &'a Memory,
    pub(super) configuration: &'a str,
    /// What the last look came to, if there was one.
    pub(super) assembly: Option<&'a Assembly>,
    pub(super) round: Round,
    pub(super) now: Moment,
}

impl Account<'_> {
    /// The whole of it.
    pub(super) fn status(&self, state: State, error: Option<Fault>) -> Status {
        let references: Vec<ReferenceStatus> = self
            .ledger
            .records()
            .map(|(location, record)| self.reference(location, record))
            .collect();
        let is_over = state == State::Failed;
        Status {
            state,
            generation: self.memory.manifest.number(),
            written: self.memory.written,
            mode: self.spec.mode,
            configuration: self.configuration.to_owned(),
            looked: self.now.time.into(),
            next_look: references.iter().filter_map(|it| it.next_look).min().filter(|_| !is_over),
            error,
            references,
        }
    }

    fn reference(&self, location: &Location, record: &Record) -> ReferenceStatus {
        let fault = self.assembly.and_then(|assembly| assembly.faults.get(location));
        ReferenceStatus {
            reference: location.to_string(),
            state: self.standing(location, record),
            version: record.version().clone(),
            fetched: record.fetched(),
            age_seconds: record.fetched().map(|fetched| fetched.age(self.now.time).as_secs()),
            next_look: self.ledger.due(record, self.round).map(|due| self.time_of(due)),
            error: record.fault().or(fault).cloned(),
            warnings: record.warnings().to_vec(),
        }
    }

    fn standing(&self, location: &Location, record: &Record) -> Standing {
        let Some(assembly) = self.assembly else { return Standing::Waiting };
        let is_missing = record.fault().is_some_and(|fault| fault.class == Class::Missing);
        let own = self.groups.iter().position(|group| group.locations.contains(location));
        let group = own.map(|at| (&self.groups[at], assembly.standings[at]));
        let ails =
            |group: &Group| group.locations.iter().any(|it| assembly.faults.contains_key(it));
        match group {
            None | Some((_, assembly::Standing::Missing)) => Standing::Waiting,
            Some((_, assembly::Standing::New)) if assembly.faults.contains_key(location) => {
                Standing::Stale
            }
            Some((_, assembly::Standing::New)) if is_missing => Standing::Absent,
            Some((group, assembly::Standing::Carried)) if ails(group) => Standing::Stale,
            Some(_) => Standing::Fresh,
        }
    }

    fn time_of(&self, due: Instant) -> Timestamp {
        let wait = due.saturating_duration_since(self.now.instant);
        time_after(self.now.time, wait)
    }
}

fn time_after(now: SystemTime, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(now).into()
}
