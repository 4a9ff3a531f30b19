//! The server, running in the test's own process.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Instant};

use mayfly_admission::{config::Config, policy::Directory, review};
use mayfly_certs::{pair, resolver::Resolver};
use mayfly_webhook::{
    namespaces::Namespaces,
    server::{
        Admin, Callers, Draining, Limits, Metrics, Mutation, Readiness, Reviewer, Server,
        tls_config,
    },
};
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, SupportedProtocolVersion,
    client::WantsClientCert,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::TLS13,
};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, client::Client};

/// A server on a port of its own, with a certificate of its own.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) draining: Draining,
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

/// What differs from test to test.
pub(super) struct Setting {
    pub(super) limits: Limits,
    pub(super) reviewer: Reviewer,
    pub(super) namespaces: Namespaces,
    pub(super) callers: Option<Arc<Callers>>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            reviewer: reviewer(),
            namespaces: Namespaces::default(),
            callers: None,
        }
    }
}

/// The real one, without a configuration.
pub(super) fn reviewer() -> Reviewer {
    let config = Config::default();
    Arc::new(move |body| review::review(&config, &Directory::default(), body))
}

#[expect(clippy::disallowed_methods, reason = "a test hands out the clock")]
fn now() -> Instant {
    Instant::now()
}

/// A certificate with its key, in PEM.
fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

impl Running {
    pub(super) async fn start(limits: Limits) -> Self {
        Self::start_in(Setting { limits, ..Setting::default() }).await
    }

    pub(super) async fn start_with(limits: Limits, reviewer: Reviewer) -> Self {
        Self::start_in(Setting { limits, reviewer, ..Setting::default() }).await
    }

    pub(super) async fn start_in(setting: Setting) -> Self {
        let Setting { limits, reviewer, namespaces, callers } = setting;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (certificate, key) = pair();
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
            callers,
            metrics: Arc::clone(&metrics),
            clock: now,
            draining: draining.clone(),
        };
        let tls = tls_config(provider, resolver, mutation.callers.as_ref()).expect("TLS 1.3");
        let server = Server::new(mutation, Arc::new(tls), limits).expect("a server");
        let (pulse, stop) = (server.pulse(), CancellationToken::new());
        beside(pulse.beat(), stop.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = server.run(listener, stop.clone().cancelled_owned());
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM");
        Self { address, certificate, metrics, draining, stop, task: tokio::spawn(server) }
    }

    /// The admin port beside it, on a runtime of its own.
    pub(super) async fn admin(&self, readiness: Readiness) -> SocketAddr {
        let (told, address) = tokio::sync::oneshot::channel();
        let (metrics, stop) = (Arc::clone(&self.metrics), self.stop.clone());
        let run = async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            told.send(listener.local_addr().expect("an address")).expect("a listener");
            Admin { metrics, readiness }.run(listener, now, std::future::pending()).await;
        };
        beside(run, stop);
        address.await.expect("an address")
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
        let mut config = self.client_config(version).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self.shake_hands(config).await
    }

    /// A client's configuration that trusts this server, up to who the client is.
    pub(super) fn client_config(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> ConfigBuilder<ClientConfig, WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a certificate");
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_root_certificates(roots)
    }

    pub(super) async fn shake_hands(
        &self,
        config: ClientConfig,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, self.connect().await).await
    }

    /// A whole review on a connection of its own.
    pub(super) async fn review(&self, uid: &str) -> Value {
        let answer = async { self.client().await.review(uid).await };
        tokio::time::timeout(PATIENCE, answer).await.expect("an answer")
    }

    /// Waits until the server has let go of all other connections.
    pub(super) async fn has_connections_at_most(&self, most: u64) {
        let fewer = async {
            while self.metric("connections") > most {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, fewer).await.expect("fewer connections");
    }

    /// What a metric without labels says.
    pub(super) fn metric(&self, name: &str) -> u64 {
        let (metrics, name) = (self.metrics.render(), format!("mayfly_webhook_{name} "));
        let value = metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
        value.expect("a metric")
    }
}

/// Runs `work` on a thread of its own until `stop`, or the end of the tests.
fn beside(work: impl Future<Output = ()> + Send + 'static, stop: CancellationToken) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    std::thread::spawn(move || runtime.block_on(stop.run_until_cancelled_owned(work)));
}
