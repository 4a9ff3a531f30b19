//! Vault and OpenBao: any engine that returns data, as whoever the pod can log in as.
//!
//! ```text
//! fetch ─ session (token: login, renewal) ─ held? ─┬─ yes: leases (looked up, renewed)  ─┐
//!                                                  └─ no:  mount ─┬─ catalogue, kv       ├─ state
//!                                                                 └─ engine (read, write)┘
//! PURE  token, lease, life, answer, end, seconds, verdict, index, hidden, request
//! EDGE  api (flights), asker, standing, auth, state
//! ```
//! Requests go through vaultrs' middleware and rustify's endpoints on the agent's own HTTP client,
//! because vaultrs alone reads the environment, follows redirects with the token, and drops a
//! secret's version and lease.
//!
//! Invariant: only Vault's own words say that something is missing, forbidden or ended.
//! Invariant: what makes something (a login, credentials, a write) is never under way twice.

mod address;
mod answer;
mod api;
mod asker;
mod auth;
mod catalogue;
mod connection;
mod end;
mod error;
mod give_back;
mod hidden;
mod index;
mod kv;
mod lease;
mod leasing;
mod life;
mod mount;
mod request;
mod seconds;
mod session;
mod standing;
mod state;
mod surroundings;
mod token;
mod verdict;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use mayfly_spec::{
    Location,
    reference::{KvVersion, VaultPath, VaultWrite},
    spec,
};
use tracing::warn;

pub(super) use surroundings::Surroundings;

use super::{
    aws::Prover,
    contract::{Ask, Fetched, SourceError, unsupported},
};
use crate::{
    digest,
    fault::{Class, Fault},
    http::Http,
};
use api::{Api, Wire};
use asker::Asker;
use auth::Auth;
use catalogue::Catalogue;
use end::Kind;
use leasing::{Leasing, Wish};
use mount::{Engine, Mount, Mounts, Untold};
use session::Session;
use state::State;
use token::Token;

/// One Vault server, seen by one role.
#[derive(Debug)]
pub(super) struct Vault {
    api: Api,
    session: Session,
    mounts: Mounts,
    catalogue: Catalogue,
    leasing: Leasing,
    state: State,
    /// What Vault said beside each answer, as far as it was told.
    told: RefCell<BTreeMap<Location, Vec<String>>>,
    surroundings: Surroundings,
}

impl Vault {
    pub(super) fn new(
        spec: &mayfly_spec::Spec,
        http: &Http,
        prover: Option<Prover>,
        surroundings: Surroundings,
    ) -> Result<Self, SourceError> {
        let vault = spec.vault.as_ref().ok_or_else(|| {
            Fault::new(Class::Configuration, "`vault:` references need the `vault` section, with `address` and `auth` (`mayfly.dev/vault-address`, `mayfly.dev/vault-role`)")
        })?;
        let client = connection::client(vault, &address::parse(&vault.address)?, http)?;
        let auth = Auth::new(vault.auth.clone(), http.root(), prover)?;
        let folder = spec.state.as_ref().map(|folder| http.root().resolve(folder));
        let state = State::new(folder, owner(vault));
        Self::over(client, spec, vault, auth, state, surroundings)
    }

    /// The server at the other end of `wire`.
    fn over(
        wire: impl Wire + 'static,
        spec: &mayfly_spec::Spec,
        vault: &spec::Vault,
        auth: Auth,
        state: State,
        surroundings: Surroundings,
    ) -> Result<Self, SourceError> {
        let address = address::parse(&vault.address)?;
        let limit = vault.patience().duration();
        let (tokens, leases) = state.load(surroundings.now());
        Ok(Self {
            api: Api::new(&address, wire, limit, vault.namespace.clone()),
            session: Session::new(auth, tokens, surroundings.clone()),
            mounts: Mounts::default(),
            catalogue: Catalogue::new(spec),
            leasing: Leasing::new(leases, surroundings.clone()),
            state,
            told: RefCell::default(),
            surroundings,
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
        let now = self.surroundings.now();
        self.state.save(&self.session.tokens(), &self.leasing.leases(), now);
        fetched.inspect(|fetched| self.tell(&ask.location, &fetched.warnings))
    }

    /// Says once what Vault says beside an answer.
    fn tell(&self, location: &Location, warnings: &[String]) {
        let before = self.told.borrow_mut().insert(location.clone(), warnings.to_vec());
        if !warnings.is_empty() && before.as_deref() != Some(warnings) {
            warn!(reference = location.label(), said = warnings.join("; "), "Vault warns");
        }
    }

    async fn fetch_as(&self, ask: &Ask, token: &Rc<Token>) -> Result<Fetched, SourceError> {
        let location = &ask.location;
        let namespace = location.vault_namespace();
        let asker = Asker { api: &self.api, token, who: self.session.name(), namespace };
        if let Some(leased) = self.leasing.held(location, asker).await? {
            return Ok(leased);
        }
        match location {
            Location::Vault(path) => self.read(ask, path, asker).await,
            Location::VaultWrite(write) => self.write(location, write, asker).await,
            other => Err(unsupported(other)),
        }
    }

    async fn read(
        &self,
        ask: &Ask,
        path: &VaultPath,
        asker: Asker<'_>,
    ) -> Result<Fetched, SourceError> {
        match self.engine_of_read(path, asker).await? {
            Engine::Kv(mount) => match self.unchanged(ask, path, &mount, asker).await {
                Some(held) => Ok(held),
                None => self.read_kv(path, &mount, None, asker).await,
            },
            // Its paths name no lease, so that nothing is taken by mistake.
            Engine::Untold(untold) => {
                let mount = Mount::of_first_name(&path.path, KvVersion::V2);
                self.read_kv(path, &mount, Some(&untold), asker).await
            }
            Engine::Other(Kind { name, .. }) if path.version.is_some() => {
                Err(leasing::versionless(&path.path, &name))
            }
            Engine::Other(kind) => {
                let location = &ask.location;
                self.take(Wish { location, kind: &kind, path: &path.path, body: None }, asker).await
            }
        }
    }

    /// What the reference says of the engine, or Vault.
    async fn engine_of_read(
        &self,
        path: &VaultPath,
        asker: Asker<'_>,
    ) -> Result<Engine, SourceError> {
        let mount = |kv| match &path.mount {
            Some(mount) => Mount::said(mount, kv),
            None => Mount::of_first_name(&path.path, kv),
        };
        match (path.kv, &path.engine) {
            (Some(kv), _) => Ok(Engine::Kv(mount(kv))),
            (None, Some(name)) => Ok(Engine::Other(Kind { name: name.clone(), mount: None })),
            (None, None) => self.engine(&path.path, asker).await,
        }
    }

    /// What is held, if the listing of its folder says that nothing is newer.
    async fn unchanged(
        &self,
        ask: &Ask,
        path: &VaultPath,
        mount: &Mount,
        asker: Asker<'_>,
    ) -> Option<Fetched> {
        let held = ask.held.as_ref()?;
        let newest = self.catalogue.version(path, mount, asker).await?;
        // By its number and its age: a secret that was made anew begins at one again.
        (newest == held.version).then(|| held.clone())
    }

    async fn read_kv(
        &self,
        path: &VaultPath,
        mount: &Mount,
        guess: Option<&Untold>,
        asker: Asker<'_>,
    ) -> Result<Fetched, SourceError> {
        let request = mount.request(path).ok_or_else(|| kv::unversioned(path))?;
        let at = request.path.clone();
        match asker.call(request).await {
            Ok(body) if verdict::is_wrapped(&body) => Err(leasing::wrapped(&at)),
            Ok(body) => kv::fetched(&body, mount.kv, path),
            Err(error) => {
                self.mounts.forget(&path.path, asker.namespace);
                Err(kv::refused(&error, path, &kv::At { path: &at, mount, guess, who: asker.who }))
            }
        }
    }

    /// Writes, but never to a key-value store, nor where one may be.
    async fn write(
        &self,
        location: &Location,
        write: &VaultWrite,
        asker: Asker<'_>,
    ) -> Result<Fetched, SourceError> {
        let path = &write.path;
        let kind = match self.engine(path, asker).await? {
            Engine::Kv(mount) => return Err(leasing::write_to_kv(path, &mount.path)),
            Engine::Other(kind) => kind,
            Engine::Untold(untold) => said(write)
                .ok_or_else(|| leasing::write_to_unknown(path, asker.who, &untold.said))?,
        };
        self.take(Wish { location, kind: &kind, path, body: Some(&write.body) }, asker).await
    }

    async fn take(&self, wish: Wish<'_>, asker: Asker<'_>) -> Result<Fetched, SourceError> {
        let fetched = self.leasing.take(&wish, asker).await;
        if fetched.as_ref().is_err_and(|fault| !fault.is_transient()) {
            self.mounts.forget(wish.path, asker.namespace);
        }
        fetched
    }

    async fn engine(&self, path: &str, asker: Asker<'_>) -> Result<Engine, SourceError> {
        let what = format!("the mount of `{path}`, asked for by {}", asker.who);
        self.mounts.of(path, asker).await.map_err(|error| error::common(&error, &what))
    }
}

/// The engine that is written to where Vault does not tell it: the one that the author says, or an
/// auth method, which by its path is no key-value store.
fn said(VaultWrite { path, engine, .. }: &VaultWrite) -> Option<Kind> {
    let of_auth = || path.starts_with("auth/").then(|| "auth".to_owned());
    let name = engine.clone().or_else(of_auth)?;
    Some(Kind { name, mount: None })
}

/// Whose state it is: another server's, namespace's or role's token is of no use.
fn owner(vault: &spec::Vault) -> String {
    let vault = serde_json::to_vec(&(&vault.address, &vault.namespace, &vault.auth));
    digest::hex(&vault.unwrap_or_default(), 16)
}

#[cfg(test)]
mod tests;
