//! One look: fetch what is missing, render, apply. What is good stays if anything is not.

mod holdings;

use mayfly_spec::{Location, Spec};

use crate::{
    clock::Clock,
    disk::{Applied, Volume},
    fault::{Class, Fault},
    ledger::Ledger,
    render::{self, DesiredFiles, RenderError, Secrets},
    source::{Source, SourceError},
};
pub use holdings::Holdings;

/// What a look works with.
#[derive(Debug)]
pub struct Sync<'a, S, C> {
    /// What is wanted.
    pub spec: &'a Spec,
    /// Where secrets come from.
    pub source: &'a S,
    /// Where files go.
    pub volume: &'a Volume,
    /// What time it is.
    pub clock: &'a C,
    /// What is known about each secret.
    pub ledger: Ledger,
    /// What is held of each secret.
    pub holdings: Holdings,
}

impl<S: Source, C: Clock> Sync<'_, S, C> {
    /// One whole look at everything that is due. In a new round all secrets are that have no time
    /// of their own; a second look in the same round fetches only what failed in the first.
    pub async fn look(&mut self, new_round: bool) -> Result<Applied, Fault> {
        self.holdings.begin(new_round);
        self.holdings.fetch(self.source, self.ledger.locations()).await;
        self.note();
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let desired = self.desired()?;
        let applied =
            self.volume.apply(&desired, self.spec.access.group, self.ledger.generation())?;
        let versions = self.holdings.iter().map(|(location, fetched)| (location, &fetched.version));
        self.ledger.settle(applied.generation, versions, self.clock.now());
        Ok(applied)
    }

    /// Tells the ledger what came of each fetch, and drops answers that are too old.
    fn note(&mut self) {
        let now = self.clock.now();
        for (location, fault) in &self.holdings.faults {
            self.ledger.fail(location, fault.clone());
        }
        self.holdings.drop_missing();
        for (location, fetched) in std::mem::take(&mut self.holdings.fresh) {
            match self.ledger.offer(&location, &fetched.version, now) {
                Ok(()) => self.holdings.hold(location, fetched),
                Err(fault) => self.holdings.refuse(location, fault),
            }
        }
    }

    /// Everything that could not be read and has to be, each with its reference.
    fn fault(&self) -> Option<Fault> {
        let faults = self.holdings.faults.iter();
        let grave = faults.filter(|(location, fault)| !is_optional(self.spec, location, fault));
        Fault::all(grave.map(|(location, fault)| referenced(location, fault)))
    }

    fn desired(&self) -> Result<DesiredFiles, Fault> {
        let data = |location| self.holdings.get(location).map(|fetched| &*fetched.data);
        let secrets: Secrets<'_> =
            self.ledger.locations().map(|location| (location, data(location))).collect();
        render::desired_files(self.spec.files.entries(), &self.spec.access, &secrets).map_err(all)
    }

    /// The fault of a look that was cut short: what failed, now or before, and what has not been
    /// answered at all.
    pub fn unfinished(&mut self) -> Option<Fault> {
        let limit = self.spec.start.deadline;
        let silence = || Fault::new(Class::Unreachable, format_args!("no answer within {limit}"));
        for location in self.ledger.locations() {
            let before = self.ledger.fault(location).cloned();
            self.holdings.miss(location, || before.unwrap_or_else(silence));
        }
        self.note();
        self.fault()
    }
}

fn all(errors: Vec<RenderError>) -> Fault {
    let none = || Fault::new(Class::Configuration, "nothing can be rendered");
    Fault::all(errors.into_iter().map(Fault::from)).unwrap_or_else(none)
}

/// The fault with the reference that it befell.
pub(crate) fn referenced(location: &Location, fault: &SourceError) -> Fault {
    let message = format!("`{}`: {fault}", location.label());
    Fault { message, ..fault.clone() }
}

/// Whether the secret is missing, and no entry needs it.
fn is_optional(spec: &Spec, location: &Location, fault: &SourceError) -> bool {
    let mut entries = spec.files.entries().iter().filter(|entry| entry.from.location == *location);
    fault.class == Class::Missing && entries.all(|entry| entry.optional)
}
