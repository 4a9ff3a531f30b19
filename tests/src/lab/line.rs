//! A line to a backend that a test can cut, so that "the backend is down" happens to one test and not to its neighbours.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::{
    addresses::{HOST, VAULT_LINE_PORTS, VAULT_LISTENER},
    condition::eventually,
};

/// The ports of the lines to Vault that there are; a cut line keeps its own, or another one would answer there.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A line that has ended lets go of its address at once.
const FREE: Duration = Duration::from_secs(10);

/// An address of its own that leads to a backend for as long as the line is whole.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    backend: String,
    traffic: Mutex<Option<JoinHandle<()>>>,
}

impl Line {
    /// Lays a line to a backend, `host:port`.
    pub async fn to(backend: &str) -> Result<Self> {
        Self::from(TcpListener::bind((HOST, 0)).await.context("lay a line")?, backend)
    }

    /// Lays a line to Vault, which begins at one of the addresses that the operator's configuration allows.
    pub async fn to_vault() -> Result<Self> {
        Self::to_vault_at(VAULT_LISTENER).await
    }

    /// The same to another Vault, `host:port`.
    pub async fn to_vault_at(backend: &str) -> Result<Self> {
        let Some(port) = VAULT_LINE_PORTS.into_iter().find(|&port| taken().insert(port)) else {
            bail!("all lines to Vault are in use");
        };
        Self::from(listen((HOST.parse::<IpAddr>()?, port).into()).await?, backend)
    }

    /// The same from any address of this machine.
    pub async fn to_vault_from(address: SocketAddr) -> Result<Self> {
        Self::from(listen(address).await?, VAULT_LISTENER)
    }

    fn from(listener: TcpListener, backend: &str) -> Result<Self> {
        let line = Self {
            address: listener.local_addr()?,
            backend: backend.to_owned(),
            traffic: Mutex::new(None),
        };
        line.carry(listener);
        Ok(line)
    }

    /// Where the line begins, for pods and tests alike.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and refuses new ones.
    pub async fn cut(&self) {
        let traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(traffic) = traffic {
            traffic.abort();
            // What is awaited is its end, which is always an abortion.
            let _ = traffic.await;
        }
    }

    /// Makes the line whole again, at the same address.
    pub async fn mend(&self) -> Result<()> {
        self.cut().await;
        self.carry(listen(self.address).await?);
        Ok(())
    }

    fn carry(&self, listener: TcpListener) {
        let traffic = tokio::spawn(carry(listener, self.backend.clone()));
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner) = Some(traffic);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        taken().remove(&self.address.port());
        if let Some(traffic) = self.traffic.lock().unwrap_or_else(PoisonError::into_inner).take() {
            traffic.abort();
        }
    }
}

/// Listens where a line before this one may be about to end.
async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = || async { Ok(TcpListener::bind(address).await?) };
    eventually(&format!("{address} to be free"), FREE, listener).await
}

fn taken() -> MutexGuard<'static, BTreeSet<u16>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn carry(listener: TcpListener, backend: String) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        connections.spawn(connect(near, backend.clone()));
    }
}

async fn connect(mut near: TcpStream, backend: String) {
    if let Ok(mut far) = TcpStream::connect(backend).await {
        // Either side may end it; there is nobody to tell.
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}
