//! Vault and OpenBao: KV version 1 and 2, as the role that the pod's service account may take.
//!
//! Requests go through vaultrs' middleware and rustify's endpoints on the agent's own HTTP client,
//! because vaultrs alone reads the environment, follows redirects with the token, and drops a
//! secret's version.

mod address;
mod api;
mod auth;
mod connection;
mod error;
mod kv;
mod mount;
mod session;

use std::{rc::Rc, time::Duration};

use mayfly_spec::{
    reference::{KvVersion, VaultPath},
    spec,
};
use zeroize::Zeroizing;

use super::{Fetched, SourceError, aws::Prover};
use crate::{
    fault::{Class, Fault},
    http::Http,
};
use api::{Api, ApiError, Read};
use auth::Auth;
use mount::{Mount, Mounts};
use session::{Session, Token};

/// The end of a container is near when the token is given back; it may not take longer.
const REVOKE_LIMIT: Duration = Duration::from_secs(2);

/// One Vault server, seen by one role.
#[derive(Debug)]
pub(super) struct Vault {
    api: Api,
    session: Session,
    mounts: Mounts,
}

impl Vault {
    pub(super) fn new(
        vault: Option<&spec::Vault>,
        http: &Http,
        prover: Option<Prover>,
    ) -> Result<Self, SourceError> {
        let vault = vault.ok_or_else(|| {
            Fault::new(Class::Configuration, "`vault:` references need the `vault` section, with `address` and `auth` (`mayfly.dev/vault-address`, `mayfly.dev/vault-role`)")
        })?;
        let address = address::parse(&vault.address)?;
        let client = connection::client(vault, &address, http)?;
        Ok(Self {
            api: Api::new(&address, client, vault.namespace.clone()),
            session: Session::new(Auth::new(vault.auth.clone(), http.root(), prover)?),
            mounts: Mounts::default(),
        })
    }

    /// Reads the secret; a token that Vault no longer takes is renewed once.
    pub(super) async fn fetch(&self, path: &VaultPath) -> Result<Fetched, SourceError> {
        let token = self.session.token(&self.api).await?;
        match self.fetch_as(path, &token).await {
            Err(fault) if fault.class == Class::Refused => {
                match self.session.instead_of(&token, &self.api).await? {
                    Some(token) => self.fetch_as(path, &token).await,
                    None => Err(fault),
                }
            }
            other => other,
        }
    }

    async fn fetch_as(&self, path: &VaultPath, token: &Rc<Token>) -> Result<Fetched, SourceError> {
        let who = self.session.name();
        let mount = match path.kv {
            Some(kv) => Mount::of_first_name(&path.path, kv),
            None => self
                .mounts
                .of(path, token, &self.api)
                .await
                .map_err(|error| error::mount(&error, path, who))?,
        };
        let request = mount.request(path).ok_or_else(|| error::unversioned(path))?;
        let at = request.path.clone();
        match self.api.call(request, Some(token)).await {
            Ok(body) => kv::fetched(&body, mount.kv, path),
            Err(error) => {
                self.mounts.forget(&mount);
                Err(error::read(&error, path, &error::At { path: &at, mount: &mount, who }))
            }
        }
    }

    /// Gives back the token of our own login, as far as that is possible in a short time.
    pub(super) async fn revoke(&self) {
        let revoked = tokio::time::timeout(REVOKE_LIMIT, self.session.revoke(&self.api)).await;
        if !matches!(revoked, Ok(Ok(()))) {
            tracing::warn!("the Vault token could not be given back; it ends by itself");
        }
    }
}

/// A body of an answer.
type Body = Zeroizing<Vec<u8>>;

impl Mount {
    /// What to read for `path`; `None` if it asks for a version that this mount does not keep.
    fn request(&self, path: &VaultPath) -> Option<Read> {
        let below = path.path.strip_prefix(&self.path).unwrap_or(&path.path);
        match self.kv {
            KvVersion::V2 => {
                Some(Read { path: format!("{}data/{below}", self.path), version: path.version })
            }
            KvVersion::V1 if path.version.is_some() => None,
            KvVersion::V1 => Some(Read { path: path.path.clone(), version: None }),
        }
    }
}
