//! Vault and OpenBao: any engine that returns data, as whoever the pod can log in as.
//!
//! ```text
//! fetch ─ session (token: login, renewal) ─ held? ─┬─ yes: leases (looked up, renewed)  ─┐
//!                                                  └─ no:  mount ─┬─ catalogue, kv       ├─ state
//!                                                                 └─ engine (read, write)┘
//! PURE  token, lease, life, answer, kv, hidden, request                    EDGE  api, auth, state
//! ```
//! Requests go through vaultrs' middleware and rustify's endpoints on the agent's own HTTP client,
//! because vaultrs alone reads the environment, follows redirects with the token, and drops a
//! secret's version and lease.

mod address;
mod answer;
mod api;
mod auth;
mod catalogue;
mod connection;
mod error;
mod give_back;
mod hidden;
mod kv;
mod lease;
mod leasing;
mod life;
mod mount;
mod request;
mod session;
mod state;
mod token;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use mayfly_spec::{
    Location,
    reference::{KvVersion, VaultPath, VaultWrite},
    spec,
};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{
    aws::Prover,
    contract::{Ask, Fetched, SourceError, unsupported},
};
use crate::{
    clock::{Clock, SystemClock},
    digest,
    fault::{Class, Fault},
    http::Http,
};
use api::Api;
use auth::Auth;
use catalogue::Catalogue;
use error::Deed;
use lease::Leases;
use mount::{Engine, Mount, Mounts};
use request::Request;
use session::Session;
use state::{Moment, State};
use token::Token;

/// A body of an answer.
type Body = Zeroizing<Vec<u8>>;

/// One Vault server, seen by one role.
#[derive(Debug)]
pub(super) struct Vault {
    api: Api,
    session: Session,
    mounts: Mounts,
    catalogue: Catalogue,
    leases: RefCell<Leases>,
    /// Whether the policy lets the agent ask about its leases; true until it is refused.
    may_look_up: Cell<bool>,
    state: State,
}

impl Vault {
    pub(super) fn new(
        spec: &mayfly_spec::Spec,
        http: &Http,
        prover: Option<Prover>,
    ) -> Result<Self, SourceError> {
        let vault = spec.vault.as_ref().ok_or_else(|| {
            Fault::new(Class::Configuration, "`vault:` references need the `vault` section, with `address` and `auth` (`mayfly.dev/vault-address`, `mayfly.dev/vault-role`)")
        })?;
        let address = address::parse(&vault.address)?;
        let client = connection::client(vault, &address, http)?;
        let auth = Auth::new(vault.auth.clone(), http.root(), prover)?;
        let folder = spec.state.as_ref().map(|folder| http.root().resolve(folder));
        let state = State::new(folder, owner(vault));
        let (tokens, leases) = state.load(now());
        Ok(Self {
            api: Api::new(&address, client, vault.namespace.clone()),
            session: Session::new(auth, tokens),
            mounts: Mounts::default(),
            catalogue: Catalogue::new(spec),
            leases: RefCell::new(leases),
            may_look_up: Cell::new(true),
            state,
        })
    }

    /// Reads the secret, or gives the one that is leased; a token that Vault no longer takes is
    /// replaced once.
    pub(super) async fn fetch(&self, ask: &Ask) -> Result<Fetched, SourceError> {
        let token = self.session.token(&self.api).await?;
        let fetched = match self.fetch_as(ask, &token).await {
            Err(fault) if fault.class == Class::Refused => {
                match self.session.instead_of(&token, &self.api).await? {
                    Some(token) => self.fetch_as(ask, &token).await,
                    None => Err(fault),
                }
            }
            other => other,
        };
        self.state.save(&*self.session.tokens().await, &self.leases.borrow(), now());
        fetched
    }

    async fn fetch_as(&self, ask: &Ask, token: &Rc<Token>) -> Result<Fetched, SourceError> {
        let location = &ask.location;
        if let Some(leased) = self.leased(location, token).await? {
            return Ok(leased);
        }
        match location {
            Location::Vault(path) => self.read(ask, path, token).await,
            Location::VaultWrite(write) => self.write(location, write, token).await,
            other => Err(unsupported(other)),
        }
    }

    async fn read(
        &self,
        ask: &Ask,
        path: &VaultPath,
        token: &Rc<Token>,
    ) -> Result<Fetched, SourceError> {
        let engine = match path.kv {
            Some(kv) => Engine::Kv(Mount::of_first_name(&path.path, kv)),
            None => self.engine(&path.path, token).await?,
        };
        match engine {
            Engine::Kv(mount) => match self.unchanged(ask, path, &mount, token).await {
                Some(held) => Ok(held),
                None => self.read_kv(path, &mount, token).await,
            },
            // Its paths name no lease, so that nothing is taken by mistake.
            Engine::Untold => {
                let mount = Mount::of_first_name(&path.path, KvVersion::V2);
                self.read_kv(path, &mount, token).await
            }
            Engine::Other(engine) if path.version.is_some() => {
                Err(error::versionless(&path.path, &engine))
            }
            Engine::Other(_) => {
                let request = Request::read(path.path.clone());
                self.take(&ask.location, request, Deed::Read, token).await
            }
        }
    }

    /// What is held, if the listing of its folder says that nothing is newer.
    async fn unchanged(
        &self,
        ask: &Ask,
        path: &VaultPath,
        mount: &Mount,
        token: &Token,
    ) -> Option<Fetched> {
        let held = ask.held.as_ref()?;
        let newest = self.catalogue.version(path, mount, token, &self.api).await?;
        // By its number and its age: a secret that was made anew begins at one again.
        (newest == held.version).then(|| held.clone())
    }

    async fn read_kv(
        &self,
        path: &VaultPath,
        mount: &Mount,
        token: &Rc<Token>,
    ) -> Result<Fetched, SourceError> {
        let who = self.session.name();
        let request = mount.request(path).ok_or_else(|| error::unversioned(path))?;
        let at = request.path.clone();
        match self.api.call(request, Some(token)).await {
            Ok(body) => kv::fetched(&body, mount.kv, path),
            Err(error) => {
                self.mounts.forget(&path.path);
                Err(error::read(&error, path, &error::At { path: &at, mount, who }))
            }
        }
    }

    /// Writes, but never to a key-value store, nor where one may be.
    async fn write(
        &self,
        location: &Location,
        VaultWrite { path, body }: &VaultWrite,
        token: &Rc<Token>,
    ) -> Result<Fetched, SourceError> {
        match self.engine(path, token).await? {
            Engine::Kv(mount) => Err(error::write_to_kv(path, &mount.path)),
            Engine::Untold => {
                self.mounts.forget(path);
                Err(error::write_to_unknown(path, self.session.name()))
            }
            Engine::Other(_) => {
                let request = Request::write(path.clone(), body);
                self.take(location, request, Deed::Write, token).await
            }
        }
    }

    async fn engine(&self, path: &str, token: &Token) -> Result<Engine, SourceError> {
        let engine = self.mounts.of(path, token, &self.api).await;
        engine.map_err(|error| error::mount(&error, path, self.session.name()))
    }
}

/// Whose state it is: another server's, namespace's or role's token is of no use.
fn owner(vault: &spec::Vault) -> String {
    let vault = serde_json::to_vec(&(&vault.address, &vault.namespace, &vault.auth));
    digest::hex(&vault.unwrap_or_default(), 16)
}

fn now() -> Moment {
    Moment { instant: Instant::now(), time: SystemClock.now() }
}
