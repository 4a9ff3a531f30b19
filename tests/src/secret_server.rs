//! A server that speaks the wire protocols of Secrets Manager, the Parameter Store, KMS, STS, EKS Pod Identity
//! and Vault on one port.
//!
//! ```text
//! listener ── request ─┬─ journal        what was asked, for assertions
//!  (TLS)               ├─ fault          what goes wrong instead
//!                      └─ aws | vault    what the real one would answer
//! ```
//!
//! One process stands for every region, account and namespace. Who signed is verified,
//! and with which session; the signature itself only where Vault passes it on to STS. Shapes and error texts are those of Vault 1.15 and of AWS.
//!
//! Invariant: only [`listener`] touches a socket; [`aws`] and [`vault`] turn a request into a reply.
#![expect(
    clippy::disallowed_methods,
    reason = "a stand-in for a whole service has a clock of its own"
)]

pub mod authority;
pub mod aws;
pub mod fault;
mod identifier;
mod listener;
mod reply;
pub mod request;
pub mod vault;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use anyhow::{Context, Result};

pub use self::{
    authority::Authority,
    aws::{Aws, AwsError},
    fault::{Fault, Faults, Scope},
    request::{Protocol, Request, Tls},
    vault::Vault,
};
use self::{listener::Listener, reply::Reply};

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct SecretServer {
    world: Arc<World>,
    authority: Option<Authority>,
    listener: Listener,
    plain: Vec<Listener>,
}

/// All that the server knows.
#[derive(Debug, Default)]
struct World {
    aws: Mutex<Aws>,
    vault: Mutex<Vault>,
    faults: Mutex<Faults>,
    journal: Mutex<Vec<Request>>,
}

impl SecretServer {
    /// Starts a server with TLS on a free port of the loopback.
    pub async fn start() -> Result<Self> {
        Self::with(Some(Authority::new()?)).await
    }

    /// Starts a server that speaks plain HTTP.
    pub async fn start_plain() -> Result<Self> {
        Self::with(None).await
    }

    async fn with(authority: Option<Authority>) -> Result<Self> {
        let world = Arc::new(World::default());
        let tls = authority.as_ref().map(Authority::acceptor).transpose()?;
        let listener = Listener::open(tls, Arc::clone(&world))
            .await
            .context("cannot start the secret server")?;
        Ok(Self { world, authority, listener, plain: Vec::new() })
    }

    /// Opens one more port, which speaks plain HTTP, and gives its URL.
    pub async fn open_plain_port(&mut self) -> Result<String> {
        let listener = Listener::open(None, Arc::clone(&self.world)).await;
        let listener = listener.context("cannot open a plain port of the secret server")?;
        let url = format!("http://{}", listener.address());
        self.plain.push(listener);
        Ok(url)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The endpoint for AWS and the address for Vault, without a trailing `/`.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
    }

    /// The certificate authority that the server's certificate is from; empty without TLS.
    pub fn ca_pem(&self) -> &str {
        self.authority.as_ref().map_or("", Authority::pem)
    }

    /// The authority behind [`SecretServer::ca_pem`], for a client of one's own.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// The AWS side: secrets, trusted web identities, access keys. Not to be held over an `await`.
    pub fn aws(&self) -> MutexGuard<'_, Aws> {
        lock(&self.world.aws)
    }

    /// The Vault side: mounts, secrets, roles, tokens. Not to be held over an `await`.
    pub fn vault(&self) -> MutexGuard<'_, Vault> {
        lock(&self.world.vault)
    }

    /// What goes wrong. Not to be held over an `await`.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.world.faults)
    }

    /// Every request so far, in the order of arrival, those that met a fault too.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.world.journal).clone()
    }

    /// How often an operation was asked for, for example `GetSecretValue` or
    /// `GET /v1/secret/data/app`.
    pub fn count(&self, operation: &str) -> usize {
        let journal = lock(&self.world.journal);
        journal.iter().filter(|request| request.operation() == operation).count()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        lock(&self.world.journal).clear();
    }

    /// Closes the port and every connection: who comes now is refused.
    pub async fn go_dark(&mut self) {
        self.listener.close().await;
    }

    /// Drops every connection and keeps the port open, but answers nobody: not even a handshake.
    pub async fn go_silent(&mut self) -> Result<()> {
        self.listener.fall_silent().await.context("cannot open the secret server's port again")
    }

    /// Opens the same port again.
    pub async fn come_back(&mut self) -> Result<()> {
        self.listener.reopen().await.context("cannot open the secret server's port again")
    }

    /// Closes the port and every connection, and opens it again with a certificate of a new authority.
    pub async fn renew_authority(&mut self) -> Result<()> {
        let authority = Authority::new()?;
        self.listener.close().await;
        self.listener.prove_by(authority.acceptor()?);
        self.authority = Some(authority);
        self.come_back().await
    }

    /// Ends the server and every connection.
    pub async fn shutdown(mut self) {
        self.listener.close().await;
    }
}

impl World {
    fn record(&self, request: &Request) -> Option<Fault> {
        lock(&self.journal).push(request.clone());
        lock(&self.faults).take(request)
    }

    fn now(&self) -> SystemTime {
        lock(&self.aws).now()
    }

    fn answer(&self, request: &Request) -> Reply {
        match request.protocol() {
            Protocol::SecretsManager => lock(&self.aws).secrets_manager(request),
            Protocol::ParameterStore => lock(&self.aws).parameter_store(request),
            Protocol::Kms => lock(&self.aws).kms(request),
            Protocol::Sts => lock(&self.aws).sts(request),
            Protocol::PodIdentity => lock(&self.aws).pod_identity(request),
            Protocol::Vault => lock(&self.vault).answer(request, &lock(&self.aws)),
        }
    }
}

/// A test that failed while it held the lock has said so already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
