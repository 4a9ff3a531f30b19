//! A handshake with our own port, as an API server would make it.
//!
//! EDGE: a socket.

mod exactly;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{ServerName, UnixTime},
    time_provider::TimeProvider,
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, InvalidDnsNameError};
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::{bundle::Der, timing::WallClock};
use exactly::Exactly;

/// What a handshake with our own port trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// What the webhook configuration trusts, and nothing else.
    Roots(Vec<Der>),
    /// What we serve, and nothing else.
    Exactly(Der),
}

/// Tries our own port.
pub type Prover = Arc<dyn Fn(Trust) -> BoxFuture<'static, Result<(), ProofError>> + Send + Sync>;

/// Why the handshake came to nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// A name that no certificate can be verified for.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    Name(String, #[source] InvalidDnsNameError),
    /// TLS 1.3 is missing.
    #[error("cannot speak TLS 1.3")]
    Tls(#[source] rustls::Error),
    /// What an API server would see.
    #[error("a handshake with our own port {0} failed")]
    Handshake(SocketAddr, #[source] io::Error),
    /// What an API server would wait for.
    #[error("a handshake with our own port {0} was not done in {1:?}")]
    Late(SocketAddr, Duration),
}

/// A name as an API server calls it.
pub fn server_name(name: &str) -> Result<ServerName<'static>, ProofError> {
    let server = ServerName::try_from(name.to_owned());
    server.map_err(|error| ProofError::Name(name.to_owned(), error))
}

/// How our own port is reached.
#[derive(Clone)]
pub struct OwnPort {
    /// Where it listens, which may be every address.
    pub address: SocketAddr,
    /// What an API server calls it, if that is known.
    pub name: Option<ServerName<'static>>,
    /// The cryptography.
    pub provider: Arc<CryptoProvider>,
    /// The time of day.
    pub clock: WallClock,
    /// The time for a handshake.
    pub limit: Duration,
}

impl std::fmt::Debug for OwnPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnPort")
            .field("address", &self.address)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The time of day for rustls.
struct Wall(WallClock);

impl std::fmt::Debug for Wall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wall")
    }
}

impl TimeProvider for Wall {
    fn current_time(&self) -> Option<UnixTime> {
        (self.0)().duration_since(SystemTime::UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch)
    }
}

impl OwnPort {
    /// As a function.
    pub fn prover(self) -> Prover {
        let port = Arc::new(self);
        Arc::new(move |trust| {
            let port = Arc::clone(&port);
            Box::pin(async move { port.prove(trust).await })
        })
    }

    async fn prove(&self, trust: Trust) -> Result<(), ProofError> {
        let handshake = self.shake_hands(self.config(trust)?);
        match tokio::time::timeout(self.limit, handshake).await {
            Ok(outcome) => outcome.map_err(|error| ProofError::Handshake(self.target(), error)),
            Err(_) => Err(ProofError::Late(self.target(), self.limit)),
        }
    }

    /// Where it is reached from here.
    fn target(&self) -> SocketAddr {
        reachable(self.address)
    }

    fn config(&self, trust: Trust) -> Result<ClientConfig, ProofError> {
        let (provider, wall) = (Arc::clone(&self.provider), Wall(Arc::clone(&self.clock)));
        let config = ClientConfig::builder_with_details(provider, Arc::new(wall))
            .with_protocol_versions(&[&TLS13])
            .map_err(ProofError::Tls)?;
        let config = match trust {
            Trust::Roots(roots) => {
                let mut store = RootCertStore::empty();
                let roots = roots.iter().map(|root| CertificateDer::from_slice(root));
                store.add_parsable_certificates(roots);
                config.with_root_certificates(store)
            }
            Trust::Exactly(certificate) => {
                let provider = Arc::clone(&self.provider);
                let verifier = Exactly { certificate, is_called: self.name.is_some(), provider };
                config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        Ok(config.with_no_client_auth())
    }

    async fn shake_hands(&self, config: ClientConfig) -> io::Result<()> {
        let stream = TcpStream::connect(self.target()).await?;
        let connector = TlsConnector::from(Arc::new(config));
        let name = self.name.clone().unwrap_or_else(|| self.target().ip().into());
        let mut stream = connector.connect(name, stream).await?;
        // A polite end, which the server does not take for a handshake that was broken off.
        stream.shutdown().await?;
        let _goodbye = stream.read(&mut [0]).await;
        Ok(())
    }
}

fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

#[cfg(test)]
mod tests;
