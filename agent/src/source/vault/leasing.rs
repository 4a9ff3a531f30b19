//! Secrets that end: taken from an engine, looked up, renewed, and taken anew in time.
//!
//! A lease is never renewed in a hurry: it is due once in its life, and what fails is tried again
//! by the agent's own schedule. What replaces it is there before it ends. Only Vault's own word that
//! a lease is no more replaces it sooner: what nobody can say leaves it as it is.

mod refusal;
mod rotation;

use std::{
    cell::{Cell, Ref, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use mayfly_spec::Location;
use tokio::time::Instant;

pub(super) use refusal::{versionless, wrapped, write_to_kv, write_to_unknown};

use super::{
    answer::{Answer, Asked},
    asker::Asker,
    end::{Deed, End, Kind},
    error,
    lease::{self, Lease, Leases},
    life::{FLOOR, Life},
    request::Request,
    standing::Standing,
    surroundings::{Moment, Surroundings},
    verdict::ApiError,
};
use crate::source::contract::{Fetched, SourceError};
use rotation::Rotations;

/// Vault's words for a lease that is no more.
const GONE: [&str; 3] = ["invalid lease", "lease not found", "lease expired"];
/// Those for one that it will not renew.
const FINAL: [&str; 3] = ["not renewable", "max ttl", "maximum ttl"];

/// How long who may not look leases up does not try.
const SELDOM: Duration = Duration::from_hours(1);

/// What is leased, and what is known about asking for it.
#[derive(Debug)]
pub(super) struct Leasing {
    leases: RefCell<Leases>,
    /// Until when Vault is not asked about leases: it has forbidden it.
    silent: Cell<Option<Instant>>,
    rotations: RefCell<Rotations>,
    surroundings: Surroundings,
}

/// What is wanted of an engine.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) location: &'a Location,
    pub(super) kind: &'a Kind,
    pub(super) path: &'a str,
    /// The fields of a write; a read has none.
    pub(super) body: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Wish<'a> {
    fn asked(&self) -> Asked<'a> {
        let deed = if self.body.is_some() { Deed::Write } else { Deed::Read };
        Asked { kind: self.kind, path: self.path, deed }
    }

    fn request(&self) -> Request {
        let path = self.path.to_owned();
        match self.body {
            Some(body) => Request::write(path, body),
            None => Request::read(path),
        }
    }
}

impl Leasing {
    /// Goes on with the leases of an earlier run.
    pub(super) fn new(leases: Leases, surroundings: Surroundings) -> Self {
        let (leases, rotations) = (RefCell::new(leases), RefCell::default());
        Self { leases, silent: Cell::new(None), rotations, surroundings }
    }

    /// What is leased.
    pub(super) fn leases(&self) -> Ref<'_, Leases> {
        self.leases.borrow()
    }

    /// Asks an engine for something new, and keeps its lease.
    pub(super) async fn take(
        &self,
        wish: &Wish<'_>,
        asker: Asker<'_>,
    ) -> Result<Fetched, SourceError> {
        let (location, question) = (wish.location, wish.asked());
        let landed = asker.make(&location.to_string(), || wish.request()).await;
        let body = landed
            .result
            .map_err(|error| refusal::engine(&error, question.path, question.deed, asker.who))?;
        // It may have come while nobody waited for it.
        let Moment { instant, time } = self.surroundings.now();
        let ago = instant.saturating_duration_since(landed.asked);
        let answer = Answer::parse(&body, question, time.checked_sub(ago).unwrap_or(time));
        let answer = answer.map_err(|error| refusal::answer(&error, question.path))?;
        Ok(self.given(location, answer, landed.asked, asker))
    }

    fn given(
        &self,
        location: &Location,
        answer: Answer,
        since: Instant,
        asker: Asker<'_>,
    ) -> Fetched {
        let Answer { data, version, end, warnings } = answer;
        let mut fetched = Fetched { warnings, ..Fetched::new(data, version) };
        let (id, renewable, duration) = match end {
            End::Unknown => return fetched,
            End::Rotation(left) => {
                let due = self.rotations.borrow_mut().due(location, left, since);
                return Fetched { due, ..fetched };
            }
            End::Own(duration) => (None, false, duration),
            End::Lease { id, duration, renewable } => (Some(id), renewable, duration),
        };
        let life = Life::new(duration, since, self.surroundings.jitter());
        let life = match &id {
            Some(_) => life.map(|life| life.no_sooner_than(asker.token.life.get())),
            None => life,
        };
        if life.is_some() && duration < FLOOR {
            fetched.warnings.push(format!(
                "what Vault gives here ends after {} s, before it could be replaced; let the engine grant it for longer",
                duration.as_secs()
            ));
        }
        let token = asker.token.clone();
        self.keep(location, Lease { id, renewable, life, token, fetched })
    }

    fn keep(&self, location: &Location, lease: Lease) -> Fetched {
        let fetched = lease.fetched();
        self.leases.borrow_mut().insert(location.clone(), lease);
        fetched
    }

    /// The secret that is leased already, if it is still good: renewed if that is due, otherwise
    /// looked up, because an administrator may have taken it back.
    pub(super) async fn held(
        &self,
        location: &Location,
        asker: Asker<'_>,
    ) -> Result<Option<Fetched>, SourceError> {
        let lease = self.leases.borrow().get(location).cloned();
        let Some(lease) = lease.filter(|lease| lease.is_of(asker.token)) else { return Ok(None) };
        let is_due = lease.is_due(Instant::now());
        match (&lease.id, is_due) {
            (Some(id), true) if lease.renewable => self.renewed(location, &lease, id, asker).await,
            (_, true) => Ok(None),
            (Some(id), false) if !self.is_known(id, asker).await? => Ok(None),
            _ => Ok(Some(lease.fetched())),
        }
    }

    async fn renewed(
        &self,
        location: &Location,
        lease: &Lease,
        id: &str,
        asker: Asker<'_>,
    ) -> Result<Option<Fetched>, SourceError> {
        let Some(life) = lease.life else { return Ok(None) };
        let since = Instant::now();
        let granted = match asker.call(Request::renew_lease(id, life.granted)).await {
            Ok(body) => lease::duration(&body).unwrap_or_default(),
            Err(error) if is_no(&error, &FINAL) => return Ok(None),
            Err(error) => {
                return match self.verdict(&error, id, asker).await? {
                    Known::Yes => {
                        Ok(lease.postponed(since).map(|lease| self.keep(location, lease)))
                    }
                    Known::No | Known::Forbidden => Ok(None),
                };
            }
        };
        let renewed = lease.renewed(granted, since, self.surroundings.jitter());
        Ok(renewed.map(|lease| self.keep(location, lease)))
    }

    /// Whether Vault still keeps the lease; it is taken for true where nobody can say.
    async fn is_known(&self, id: &str, asker: Asker<'_>) -> Result<bool, SourceError> {
        if self.silent.get().is_some_and(|until| Instant::now() < until) {
            return Ok(true);
        }
        let Err(error) = asker.call(Request::look_up_lease(id)).await else { return Ok(true) };
        Ok(match self.verdict(&error, id, asker).await? {
            Known::Yes => true,
            Known::No => false,
            Known::Forbidden => {
                self.silent.set(Some(Instant::now() + SELDOM));
                true
            }
        })
    }

    /// What an error says of a lease. It is one of the token's own if Vault says that the token is
    /// no more.
    async fn verdict(
        &self,
        error: &ApiError,
        id: &str,
        asker: Asker<'_>,
    ) -> Result<Known, SourceError> {
        if is_no(error, &GONE) {
            return Ok(Known::No);
        }
        match error {
            ApiError::Status(refusal) if refusal.status == 403 => match asker.standing().await {
                Standing::Alive => Ok(Known::Forbidden),
                Standing::Unknown => Ok(Known::Yes),
                Standing::Dead => Err(error::common(error, &format!("the lease `{id}`"))),
            },
            _ => Ok(Known::Yes),
        }
    }
}

/// What is known of a lease.
enum Known {
    /// It may be there: nobody has said that it is not.
    Yes,
    /// Vault says that it is no more.
    No,
    /// It may not be asked about.
    Forbidden,
}

/// Whether Vault itself says one of these words.
fn is_no(error: &ApiError, words: &[&str]) -> bool {
    matches!(error, ApiError::Status(refusal) if matches!(refusal.status, 400 | 404) && refusal.says(words))
}
