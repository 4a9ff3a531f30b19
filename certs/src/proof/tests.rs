use std::time::SystemTime;

use rustls::{ServerConfig, crypto::aws_lc_rs::default_provider};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{
    issue::{Identity, Wish},
    replica::Replica,
    resolver::Resolver,
};

#[expect(clippy::disallowed_methods, reason = "rustls asks the real clock")]
fn identity(name: &str) -> Identity {
    let lifetime = Duration::from_mins(1);
    let wish = Wish { replica: Replica::process("a"), names: vec![name.to_owned()], lifetime };
    wish.issue(SystemTime::now(), &default_provider()).expect("an identity")
}

/// Our own port, and how many of its handshakes end well and how many do not.
async fn serve(identity: &Identity) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<bool>) {
    let resolver = Arc::new(Resolver::default());
    resolver.exchange(Arc::clone(&identity.pair));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    let (acceptor, (ends, counted)) =
        (TlsAcceptor::from(Arc::new(config)), tokio::sync::mpsc::unbounded_channel());
    // Every address, as the server listens by default.
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let end = match acceptor.accept(stream).await {
                Ok(mut stream) => matches!(stream.read(&mut [0]).await, Ok(0)),
                Err(_) => false,
            };
            ends.send(end).expect("a listener");
        }
    });
    (address, counted)
}

async fn prove(address: SocketAddr, name: &str, roots: &[&Identity]) -> Result<(), String> {
    let limit = Duration::from_secs(10);
    let port = OwnPort::new(address, name, Arc::new(default_provider()), limit).expect("a name");
    let roots = roots.iter().map(|identity| identity.authority.certificate().clone());
    let outcome = (port.prover())(Trust::Roots(roots.collect())).await;
    outcome.map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    })
}

#[tokio::test]
async fn our_own_port_is_proven_by_what_the_bundle_trusts_and_the_name_that_is_called() {
    for name in ["mayfly-webhook.mayfly.svc", "10.244.0.1"] {
        let (ours, other) = (identity(name), identity(name));
        let (address, mut ends) = serve(&ours).await;
        assert_eq!(prove(address, name, &[&other, &ours]).await, Ok(()));
        assert_eq!(ends.recv().await, Some(true), "the server sees a polite end");
        let stranger = prove(address, name, &[&other]).await.expect_err("no trust");
        assert!(stranger.contains("invalid peer certificate"), "{stranger}");
        let misnamed = prove(address, "other.mayfly.svc", &[&ours]).await.expect_err("no trust");
        assert!(misnamed.contains("not valid for name"), "{misnamed}");
    }
}

#[tokio::test]
async fn what_is_served_is_proven_exactly() {
    let (ours, other) = (identity("a.svc"), identity("a.svc"));
    let (address, _ends) = serve(&ours).await;
    let provider = Arc::new(default_provider());
    let port = OwnPort::new(address, "localhost", provider, Duration::from_secs(10));
    let prover = port.expect("a name").prover();
    let exactly = |identity: &Identity| Trust::Exactly(identity.pair.cert[0].as_ref().into());
    assert!(prover(exactly(&ours)).await.is_ok());
    assert!(prover(exactly(&other)).await.is_err());
}

#[tokio::test]
async fn a_port_that_nobody_serves_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let refusal = prove(address, "a.svc", &[&identity("a.svc")]).await.expect_err("nobody");
    assert!(refusal.contains(&address.to_string()), "{refusal}");
}
