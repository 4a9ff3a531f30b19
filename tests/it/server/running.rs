//! The server, running in the test's own process.

use std::{io, net::SocketAddr, sync::Arc, time::Instant};

use mayfly_admission::{config::Config, policy::Directory, review};
use mayfly_certs::{pair, resolver::Resolver};
use mayfly_webhook::{
    namespaces::Namespaces,
    server::{Admin, Draining, Limits, Metrics, Mutation, Readiness, Reviewer, Server, tls_config},
};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::TLS13,
};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, client::Client};

/// A server on a port of its own, with a certificate of its own.
pub(super) struct Running {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) draining: Draining,
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

#[expect(clippy::disallowed_methods, reason = "a test hands out the clock")]
fn now() -> Instant {
    Instant::now()
}

impl Running {
    pub(super) async fn start(limits: Limits) -> Self {
        let config = Config::default();
        Self::start_with(
            limits,
            Arc::new(move |body| review::review(&config, &Directory::default(), body)),
        )
        .await
    }

    pub(super) async fn start_with(limits: Limits, reviewer: Reviewer) -> Self {
        Self::start_among(Namespaces::default(), limits, reviewer).await
    }

    pub(super) async fn start_among(
        namespaces: Namespaces,
        limits: Limits,
        reviewer: Reviewer,
    ) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let resolver = Arc::new(Resolver::default());
        resolver.exchange(
            pair::parse(certificate.as_bytes(), key.as_bytes(), &provider).expect("a pair"),
        );
        let (metrics, draining) = (Arc::new(Metrics::default()), Draining::default());
        let config = Config::default();
        let mutation = Mutation {
            reviewer,
            forecaster: Arc::new(move |body| {
                review::forecast(&config, &Directory::default(), body)
            }),
            namespaces,
            metrics: Arc::clone(&metrics),
            clock: now,
            draining: draining.clone(),
        };
        let tls = Arc::new(tls_config(provider, resolver).expect("TLS 1.3"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let server = Server { mutation, tls, limits }.run(listener, stop.clone().cancelled_owned());
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM");
        Self { address, certificate, metrics, draining, stop, task: tokio::spawn(server) }
    }

    /// The admin port beside it.
    pub(super) async fn admin(&self, readiness: Readiness) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let admin = Admin { metrics: Arc::clone(&self.metrics), readiness };
        tokio::spawn(admin.run(listener, now, self.stop.clone().cancelled_owned()));
        address
    }

    /// A connection on which nothing has been said.
    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// A client whose handshake is done.
    pub(super) async fn client(&self) -> Client<TlsStream<TcpStream>> {
        Client { stream: self.try_handshake(&TLS13, &["http/1.1"]).await.expect("a handshake") }
    }

    pub(super) async fn try_handshake(
        &self,
        version: &'static SupportedProtocolVersion,
        protocols: &[&str],
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a certificate");
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(&[version])
                .expect("a version")
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, self.connect().await).await
    }

    /// A whole review on a connection of its own.
    pub(super) async fn review(&self, uid: &str) -> Value {
        let answer = async { self.client().await.review(uid).await };
        tokio::time::timeout(PATIENCE, answer).await.expect("an answer")
    }

    /// Waits until the server has let go of all other connections.
    pub(super) async fn has_connections_at_most(&self, most: usize) {
        let count = || {
            let metrics = self.metrics.render();
            let line = metrics.lines().find(|line| line.starts_with("mayfly_webhook_connections "));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).expect("a gauge")
        };
        while count() > most {
            tokio::task::yield_now().await;
        }
    }
}
