//! Secrets that end: taken from an engine, looked up, renewed, and taken anew in time.
//!
//! A lease is never renewed in a hurry: it is due once in its life, and what fails is tried again
//! by the agent's own schedule. What replaces it is there before it ends.

use std::rc::Rc;

use mayfly_spec::Location;
use tokio::time::Instant;

use super::{
    Vault,
    answer::{Answer, End},
    api::ApiError,
    error::{self, Deed},
    lease::{self, Lease},
    life::Life,
    now,
    request::Request,
    token::Token,
};
use crate::source::contract::{Fetched, SourceError};

impl Vault {
    /// Asks an engine for something new, and keeps its lease.
    pub(super) async fn take(
        &self,
        location: &Location,
        request: Request,
        deed: Deed,
        token: &Rc<Token>,
    ) -> Result<Fetched, SourceError> {
        let (asked, path) = (Instant::now(), request.path.clone());
        let body = self.api.call(request, Some(token)).await.map_err(|error| {
            self.mounts.forget(&path);
            error::engine(&error, &path, deed, self.session.name())
        })?;
        let answer = Answer::parse(&body, now().time);
        let Answer { data, version, end } = answer.map_err(|error| error::answer(error, &path))?;
        let fetched = Fetched::new(data, version);
        let life = |duration| Life::new(duration, asked, fastrand::f64());
        let (id, renewable, life) = match end {
            End::Unknown => return Ok(fetched),
            End::Rotation(after) => return Ok(Fetched { due: Some(asked + after), ..fetched }),
            End::Own(duration) => (None, false, life(duration)),
            End::Lease { id, duration, renewable } => {
                let life = life(duration).map(|life| life.no_sooner_than(token.life.get()));
                (Some(id), renewable, life)
            }
        };
        let lease = Lease { id, renewable, life, token: token.clone(), fetched };
        Ok(self.keep(location, lease))
    }

    fn keep(&self, location: &Location, lease: Lease) -> Fetched {
        let fetched = lease.fetched();
        self.leases.borrow_mut().insert(location.clone(), lease);
        fetched
    }

    /// The secret that is leased already, if it is still good: renewed if that is due, otherwise
    /// looked up, because an administrator may have taken it back.
    pub(super) async fn leased(
        &self,
        location: &Location,
        token: &Rc<Token>,
    ) -> Result<Option<Fetched>, SourceError> {
        let lease = self.leases.borrow().get(location).cloned();
        let Some(lease) = lease.filter(|lease| lease.is_of(token)) else { return Ok(None) };
        let is_due = lease.is_due(Instant::now());
        match (&lease.id, is_due) {
            (Some(id), true) if lease.renewable => self.renewed(location, &lease, id, token).await,
            (_, true) => Ok(None),
            (Some(id), false) if !self.is_known(id, token).await? => Ok(None),
            _ => Ok(Some(lease.fetched())),
        }
    }

    async fn renewed(
        &self,
        location: &Location,
        lease: &Lease,
        id: &str,
        token: &Token,
    ) -> Result<Option<Fetched>, SourceError> {
        let Some(life) = lease.life else { return Ok(None) };
        let asked = Instant::now();
        let request = Request::renew_lease(id, life.granted);
        let granted = match self.api.call(request, Some(token)).await {
            Ok(body) => lease::duration(&body).unwrap_or_default(),
            Err(error) => return self.lost(&error, token, id).await.map(|()| None),
        };
        let renewed = lease.renewed(granted, asked, fastrand::f64());
        Ok(renewed.map(|lease| self.keep(location, lease)))
    }

    /// Whether Vault still keeps the lease; it is taken for true where nobody may ask.
    async fn is_known(&self, id: &str, token: &Token) -> Result<bool, SourceError> {
        if !self.may_look_up.get() {
            return Ok(true);
        }
        match self.api.call(Request::look_up_lease(id), Some(token)).await {
            Ok(_) => Ok(true),
            Err(ApiError::Status(refusal)) if refusal.status == 403 => {
                self.lost(&ApiError::Status(refusal), token, id).await?;
                self.may_look_up.set(false);
                Ok(true)
            }
            Err(error) => self.lost(&error, token, id).await.map(|()| false),
        }
    }

    /// An error unless Vault has said that there is no such lease, or that it may not be asked for
    /// by a token that lives.
    async fn lost(&self, error: &ApiError, token: &Token, id: &str) -> Result<(), SourceError> {
        match error {
            ApiError::Status(refusal) if matches!(refusal.status, 400 | 404) => Ok(()),
            ApiError::Status(refusal) if refusal.status == 403 => {
                let alive = self.session.is_alive(token, &self.api).await?;
                let dead = || error::common(error, &format!("the lease `{id}`"));
                if alive { Ok(()) } else { Err(dead()) }
            }
            _ => Err(error::common(error, &format!("the lease `{id}`"))),
        }
    }
}
