//! What every backend answers, and how it is asked.
//!
//! This room knows no backend. The backends and who asks them look here, and so never at each other.

use std::{future::Future, rc::Rc};

use mayfly_spec::Location;
use tokio::time::Instant;

use super::version::Version;
use crate::{
    fault::{Class, Fault},
    secret::SecretData,
};

/// What a backend answered.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The secret.
    pub data: Rc<SecretData>,
    /// Which version of it.
    pub version: Version,
    /// When it has to be looked at again, if it has a time of its own: a lease, a certificate.
    pub due: Option<Instant>,
    /// What the backend says beside it, for a person: a field that it does not know, ….
    pub warnings: Vec<String>,
}

impl Fetched {
    /// A secret that is looked at once an interval.
    pub fn new(data: SecretData, version: Version) -> Self {
        Self { data: Rc::new(data), version, due: None, warnings: Vec::new() }
    }
}

/// What is asked of a source.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What is to be read.
    pub location: Location,
    /// What was read before: it is the answer, if the backend has nothing newer.
    pub held: Option<Fetched>,
}

/// What becomes of what was leased when the agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leased {
    /// It ends with the agent.
    Ends,
    /// It is still needed, and so are the tokens that it was leased with.
    Stays,
}

/// Why a backend gave no secret: the class, and words that tell what to change.
///
/// # Design
/// Libraries' errors end here as words: some of them keep whole answers, and so secrets.
pub type SourceError = Fault;

/// Something that secrets can be read from.
pub trait Source {
    /// Reads the secret that is asked for.
    fn fetch(&self, ask: &Ask) -> impl Future<Output = Result<Fetched, SourceError>>;

    /// Which lane a location is read in: those of one share a backend, a region and an identity, and
    /// so their misfortunes, with no other.
    fn lane(&self, location: &Location) -> String {
        location.source().to_string()
    }

    /// Parts `locations` into what is read together; by itself a source reads each alone.
    fn batches(&self, locations: Vec<Location>) -> Vec<Vec<Location>> {
        locations.into_iter().map(|location| vec![location]).collect()
    }

    /// Reads the secrets of one batch; an answer for each, in their order.
    fn fetch_batch(
        &self,
        batch: &[Ask],
    ) -> impl Future<Output = Vec<Result<Fetched, SourceError>>> {
        async move {
            let mut answers = Vec::new();
            for ask in batch {
                answers.push(self.fetch(ask).await);
            }
            answers
        }
    }
}

/// The fault of a location that came to a backend which cannot read it.
pub(super) fn unsupported(location: &Location) -> SourceError {
    let words = format!("nothing here reads from `{}`", location.source());
    Fault::new(Class::Configuration, words)
}
