//! What is known about each secret between looks: which version is held, how old, what went wrong.
//!
//! Pure: the time is an argument. It refuses versions that go backwards, and becomes a [`Status`].

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use mayfly_spec::{Location, Reference, Spec, spec::Mode};

use crate::{
    fault::{Class, Fault},
    source::{SourceError, Version},
    status::{self, ReferenceStatus, State, Status},
    timestamp::Timestamp,
};

/// The agent's memory of its secrets; it holds no values.
#[derive(Debug)]
pub struct Ledger {
    mode: Option<Mode>,
    configuration: String,
    generation: u64,
    written: Option<Timestamp>,
    records: BTreeMap<Location, Record>,
}

#[derive(Debug, Default)]
struct Record {
    version: Version,
    fetched: Option<Timestamp>,
    error: Option<Fault>,
    /// When the present answer came that is not on the volume yet.
    offered: Option<Timestamp>,
    /// When an older version was first answered.
    older_since: Option<SystemTime>,
}

impl Ledger {
    /// The memory of an agent for `spec`; `before` is what an earlier run left on the volume.
    pub fn new(spec: &Spec, before: Option<&Status>) -> Self {
        let locations = spec.files.entries().iter().map(|entry| entry.from.location.clone());
        let mut records: BTreeMap<_, _> =
            locations.map(|location| (location, Record::default())).collect();
        for known in before.map(|status| &status.references).into_iter().flatten() {
            let location = known.reference.parse::<Reference>().map(|reference| reference.location);
            if let Some(record) = location.ok().and_then(|location| records.get_mut(&location)) {
                record.version = known.version.clone();
                record.fetched = known.fetched;
            }
        }
        Self {
            mode: spec.mode,
            configuration: status::digest(spec),
            generation: before.map_or(0, |status| status.generation),
            written: before.and_then(|status| status.written),
            records,
        }
    }

    /// Every secret that is to be read, each once.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.records.keys()
    }

    /// The number of the last generation.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Why the secret could not be read, if it could not.
    pub fn fault(&self, location: &Location) -> Option<&Fault> {
        self.records.get(location)?.error.as_ref()
    }

    /// Takes note of an answer, and refuses one that is older than what is held.
    pub fn offer(
        &mut self,
        location: &Location,
        version: &Version,
        now: SystemTime,
    ) -> Result<(), SourceError> {
        let Some(record) = self.records.get_mut(location) else {
            return Ok(());
        };
        let since = *record.older_since.get_or_insert(now);
        if record.version.admits(version, since, now).is_err() {
            let fault = regression(&record.version, version);
            record.error = Some(fault.clone());
            return Err(fault);
        }
        record.older_since = None;
        record.error = None;
        record.offered = Some(now.into());
        if version.id.is_some() && version.id == record.version.id {
            record.fetched = Some(now.into());
        }
        Ok(())
    }

    /// Takes note of a failure.
    pub fn fail(&mut self, location: &Location, fault: SourceError) {
        if let Some(record) = self.records.get_mut(location) {
            record.error = Some(fault);
        }
    }

    /// The versions that are on the volume now, as generation `generation`.
    pub fn settle<'a>(
        &mut self,
        generation: u64,
        versions: impl IntoIterator<Item = (&'a Location, &'a Version)>,
        now: SystemTime,
    ) {
        if generation != self.generation || self.written.is_none() {
            self.written = Some(now.into());
        }
        self.generation = generation;
        for (location, version) in versions {
            if let Some(record) = self.records.get_mut(location) {
                record.version = version.clone();
                record.fetched = record.offered.take().or(record.fetched);
            }
        }
    }

    /// All of it, as it is told to others; `wait` is how long until the next look, `due` until
    /// the one at a secret, where that is another.
    pub fn status(
        &self,
        state: State,
        error: Option<Fault>,
        now: SystemTime,
        wait: Option<Duration>,
        due: impl Fn(&Location) -> Option<Duration>,
    ) -> Status {
        let after = |wait: Duration| Timestamp::from(now + wait);
        let next_look = wait.map(after);
        let reference = |(location, record): (&Location, &Record)| ReferenceStatus {
            reference: location.to_string(),
            version: record.version.clone(),
            fetched: record.fetched,
            age_seconds: record.fetched.map(|fetched| fetched.age(now).as_secs()),
            next_look: due(location).map(after).or(next_look),
            error: record.error.clone(),
        };
        Status {
            state,
            generation: self.generation,
            written: self.written,
            mode: self.mode,
            configuration: self.configuration.clone(),
            looked: now.into(),
            next_look,
            error,
            references: self.records.iter().map(reference).collect(),
        }
    }
}

fn regression(held: &Version, offered: &Version) -> SourceError {
    let id =
        |version: &Version| version.id.clone().unwrap_or_else(|| "an unknown version".to_owned());
    let words = format!(
        "the backend answers with version {}, which is older than {} that is held",
        id(offered),
        id(held)
    );
    Fault::new(Class::Unreachable, words)
}
