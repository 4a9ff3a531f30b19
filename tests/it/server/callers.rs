//! `--client-ca`: who is answered, and what the others are told.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use mayfly_certs::proof::{OwnPort, Trust};
use mayfly_webhook::server::Callers;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    version::TLS13,
};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{
    client::{Client, post, review},
    running::{Running, Setting},
};

#[expect(clippy::disallowed_methods, reason = "a test hands out the clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Who signs clients' certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add(self.0.der().clone()).expect("a certificate");
        store
    }

    fn callers(&self) -> Arc<Callers> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        Arc::new(Callers::new(self.store(), provider).expect("callers"))
    }

    /// A connection of a client with a certificate of this authority.
    async fn connect(&self, server: &Running) -> io::Result<Client<TlsStream<TcpStream>>> {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["api-server".to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = server.client_config(&TLS13);
        let config = config.with_client_auth_cert(vec![certificate.der().clone()], key);
        let stream = server.shake_hands(config.expect("a configuration")).await?;
        Ok(Client { stream })
    }
}

async fn start(callers: &Arc<Callers>) -> Running {
    Running::start_in(Setting { callers: Some(Arc::clone(callers)), ..Setting::default() }).await
}

#[tokio::test]
async fn only_who_has_a_certificate_of_the_authority_is_answered() {
    let (ours, other) = (Authority::new(), Authority::new());
    let server = start(&ours.callers()).await;
    let mut known = ours.connect(&server).await.expect("a handshake");
    assert_eq!(known.review("u").await["response"]["uid"], "u");

    for request in [post(&review("u").to_string()), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()] {
        let told = server.client().await.send(&request).await;
        assert!(told.starts_with("HTTP/1.1 401"), "{told}");
        assert!(told.contains("--client-ca"), "{told}");
    }
    // A client of TLS 1.3 has ended its own part of the handshake before it hears of the refusal.
    if let Ok(mut stranger) = other.connect(&server).await {
        let told = stranger.send(&post(&review("u").to_string())).await;
        assert_eq!(told, "", "a stranger was told something");
    }
    assert_eq!(known.review("afterwards").await["response"]["uid"], "afterwards");
}

#[tokio::test]
async fn new_authorities_hold_for_connections_that_are_there_already() {
    let (first, second) = (Authority::new(), Authority::new());
    let callers = first.callers();
    let server = start(&callers).await;
    let mut kept = first.connect(&server).await.expect("a handshake");
    kept.review("before").await;

    let mut both = first.store();
    both.extend(second.store().roots);
    callers.exchange(both).expect("authorities");
    assert_eq!(kept.review("still").await["response"]["uid"], "still");

    callers.exchange(second.store()).expect("authorities");
    let told = kept.send(&post(&review("after").to_string())).await;
    assert!(told.starts_with("HTTP/1.1 401"), "{told}");
    let mut known = second.connect(&server).await.expect("a handshake");
    known.review("u").await;
}

#[tokio::test]
async fn the_handshake_with_the_own_port_needs_no_certificate() {
    let server = start(&Authority::new().callers()).await;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let port = OwnPort {
        address: server.address,
        name: Some(ServerName::try_from("localhost").expect("a name")),
        provider,
        clock: Arc::new(now),
        limit: Duration::from_secs(20),
    };
    let prove = port.prover();
    prove(Trust::Exactly(server.certificate.as_ref().into())).await.expect("a proof");
    server.has_connections_at_most(0).await;
    assert_eq!(server.metric("handshakes_refused_total"), 0, "it was taken for a stranger's");
}
