use rustls::{ServerConfig, crypto::aws_lc_rs::default_provider};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{
    issue::{Identity, Wish},
    replica::Replica,
    resolver::Resolver,
};

fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)
}

fn identity(name: &str) -> Identity {
    let lifetime = Duration::from_mins(1);
    let wish = Wish { replica: Replica::process("a"), names: vec![name.to_owned()], lifetime };
    wish.issue(noon(), &default_provider()).expect("an identity")
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

fn prover(address: SocketAddr, name: Option<&str>) -> Prover {
    let name = name.map(|name| server_name(name).expect("a name"));
    let (provider, limit) = (Arc::new(default_provider()), Duration::from_secs(10));
    OwnPort { address, name, provider, clock: Arc::new(noon), limit }.prover()
}

async fn prove(address: SocketAddr, name: &str, roots: &[&Identity]) -> Result<(), String> {
    let roots = roots.iter().map(|identity| identity.authority.certificate().clone());
    told(prover(address, Some(name))(Trust::Roots(roots.collect())).await)
}

fn told(outcome: Result<(), ProofError>) -> Result<(), String> {
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
    let prover = prover(address, None);
    let exactly = |identity: &Identity| Trust::Exactly(identity.pair.cert[0].as_ref().into());
    assert!(prover(exactly(&ours)).await.is_ok());
    assert!(prover(exactly(&other)).await.is_err());
}

#[tokio::test]
async fn what_is_served_is_proven_by_the_name_that_is_called_if_that_is_known() {
    let ours = identity("a.svc");
    let (address, _ends) = serve(&ours).await;
    let exactly = || Trust::Exactly(ours.pair.cert[0].as_ref().into());
    assert_eq!(told(prover(address, Some("a.svc"))(exactly()).await), Ok(()));
    let misnamed = told(prover(address, Some("b.svc"))(exactly()).await).expect_err("misnamed");
    assert!(misnamed.contains("not valid for name"), "{misnamed}");
}

#[test]
fn a_name_that_cannot_be_called_is_refused() {
    assert!(server_name("a b").expect_err("no name").to_string().contains("`a b`"));
}

#[tokio::test]
async fn a_port_that_nobody_serves_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let refusal = prove(address, "a.svc", &[&identity("a.svc")]).await.expect_err("nobody");
    assert!(refusal.contains(&address.to_string()), "{refusal}");
}
