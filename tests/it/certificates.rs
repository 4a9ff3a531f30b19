//! Certificate files behind the webhook's own TLS, proven by a real handshake under the name that an API server calls.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use mayfly_certs::{
    event::{Event, Listener},
    files::CertificateFiles,
    proof::{OwnPort, server_name},
    standing::{Obstacle, Standing},
    timing::WallClock,
};
use mayfly_webhook::server::tls_config;
use rustls::crypto::aws_lc_rs;
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use tokio_rustls::TlsAcceptor;

const SERVICE: &str = "mayfly-webhook.mayfly.svc";
const PATIENCE: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "a test hands out the clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A pair for these names, valid now, as two files.
#[expect(clippy::disallowed_methods, reason = "certificates are files")]
fn write(folder: &Path, names: &[&str]) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let pair = rcgen::generate_simple_self_signed(names).expect("a certificate");
    fs::write(folder.join("tls.key"), pair.signing_key.serialize_pem()).expect("a file");
    fs::write(folder.join("tls.crt"), pair.cert.pem()).expect("a file");
}

/// The files at work behind a port, and what is told of them.
struct Served {
    folder: TempDir,
    standing: Arc<Standing>,
    told: UnboundedReceiver<String>,
}

impl Served {
    async fn start(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), names);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (name, clock): (_, WallClock) = (server_name(SERVICE).expect("a name"), Arc::new(now));
        let port = OwnPort {
            address,
            name: Some(name.clone()),
            provider: Arc::clone(&provider),
            clock: Arc::clone(&clock),
            limit: PATIENCE,
        };
        let [certificate, key] = ["tls.crt", "tls.key"].map(|name| folder.path().join(name));
        let (names, provider_of_files) = (vec![name], Arc::clone(&provider));
        let files =
            CertificateFiles::new(certificate, key, names, provider_of_files, clock, port.prover());
        let tls = tls_config(provider, files.resolver(), None).expect("TLS 1.3");
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let accepted = acceptor.accept(stream);
                tokio::spawn(async move {
                    // Until the other side says goodbye.
                    if let Ok(mut stream) = accepted.await {
                        let _goodbye = stream.read(&mut [0]).await;
                    }
                });
            }
        });
        let standing = files.standing();
        let (tell, told) = unbounded_channel();
        let listener: Listener = Arc::new(move |event| {
            let words = match event {
                Event::Fault(error) => {
                    let source = error.source().map(ToString::to_string).unwrap_or_default();
                    format!("{error}: {source}")
                }
                event => format!("{event:?}"),
            };
            // The test may be over.
            let _unheard = tell.send(words);
        });
        tokio::spawn(files.keep_fresh(Duration::from_millis(20), listener));
        Self { folder, standing, told }
    }

    async fn hears(&mut self, words: &str) -> String {
        let heard = async {
            loop {
                let told = self.told.recv().await.expect("words");
                if told.contains(words) {
                    break told;
                }
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect(words)
    }

    async fn is(&self, obstacle: Option<Obstacle>) {
        let reached = async {
            while self.standing.obstacle(now()) != obstacle {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("the standing");
    }
}

#[tokio::test]
async fn a_certificate_for_nobody_or_for_others_is_not_ready_until_one_comes_that_is_for_us() {
    for (names, words) in [
        (&[][..], "no subject alternative name"),
        (&["mayfly-webhook", "localhost"], "for `mayfly-webhook`, `localhost`, not for"),
    ] {
        let mut served = Served::start(names).await;
        let told = served.hears(words).await;
        assert!(told.contains(SERVICE), "{told}");
        served.is(Some(Obstacle::Refused)).await;
        write(served.folder.path(), &["other", SERVICE]);
        served.is(None).await;
    }
}

#[tokio::test]
async fn a_rotation_to_another_name_leaves_the_last_good_certificate() {
    let mut served = Served::start(&[SERVICE]).await;
    served.is(None).await;
    write(served.folder.path(), &["other"]);
    served.hears("for `other`, not for").await;
    served.is(None).await;
}
