use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rcgen::{CertificateParams, CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs::default_provider;

use super::*;
use crate::standing::Obstacle;

/// A folder with a certificate and a key, as a Secret volume has them.
struct Folder {
    directory: tempfile::TempDir,
    files: CertificateFiles,
    /// In seconds since 1970.
    time: Arc<AtomicU64>,
}

struct Pair {
    certificate: String,
    key: String,
}

const NOON: u64 = 1_900_000_000;

/// What a look at a pair of [`pair`] finds.
fn exchanged() -> Look {
    Look::Exchanged(rcgen::date_time_ymd(4096, 1, 1).into())
}

/// A pair for the seconds from `start` to `end`.
fn pair_of(start: u64, end: u64) -> Pair {
    pair_named(&["localhost"], start, end)
}

fn pair_named(names: &[&str], start: u64, end: u64) -> Pair {
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    let time = |seconds| (SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into();
    (params.not_before, params.not_after) = (time(start), time(end));
    let certificate = params.self_signed(&key).expect("a certificate");
    Pair { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn pair() -> Pair {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    Pair { certificate: cert.pem(), key: signing_key.serialize_pem() }
}

impl Folder {
    fn new() -> Self {
        Self::called(&["localhost"])
    }

    /// What an API server calls it.
    fn called(names: &[&str]) -> Self {
        let names = names.iter().map(|name| crate::proof::server_name(name).expect("a name"));
        let directory = tempfile::tempdir().expect("a folder");
        let path = |name| directory.path().join(name);
        let provider = Arc::new(default_provider());
        let prover: Prover = Arc::new(|_| Box::pin(async { Ok(()) }));
        let time = Arc::new(AtomicU64::new(NOON));
        let now = Arc::clone(&time);
        let clock =
            Arc::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(now.load(Relaxed)));
        let (certificate, key) = (path("tls.crt"), path("tls.key"));
        let names = names.collect();
        let files = CertificateFiles::new(certificate, key, names, provider, clock, prover);
        Self { directory, files, time }
    }

    fn write(&self, pair: &Pair) {
        self.write_file("tls.crt", &pair.certificate);
        self.write_file("tls.key", &pair.key);
    }

    fn write_file(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).expect("a file");
    }

    fn refusal(&mut self) -> String {
        let error = self.files.look().expect_err("no pair");
        let source = std::error::Error::source(&error).expect("a source");
        format!("{error}: {source}")
    }

    fn serves(&self, pair: &Pair) -> bool {
        let der: &[u8] =
            &rustls_pki_types::pem::PemObject::from_pem_slice(pair.certificate.as_bytes())
                .map(|der: rustls_pki_types::CertificateDer<'static>| der.to_vec())
                .expect("PEM");
        self.files.resolver().current().is_some_and(|current| current.cert[0].as_ref() == der)
    }
}

#[test]
fn a_new_pair_is_served_and_the_same_content_is_no_news() {
    let (mut folder, first, second) = (Folder::new(), pair(), pair());
    folder.write(&first);
    assert_eq!(folder.files.look().expect("a pair"), exchanged());
    assert_eq!(folder.files.look().expect("a pair"), Look::Same);
    folder.write(&second);
    assert_eq!(folder.files.look().expect("a pair"), exchanged());
    assert!(folder.serves(&second));
}

#[test]
fn a_pair_that_does_not_fit_leaves_the_last_good_one() {
    let (mut folder, good, other) = (Folder::new(), pair(), pair());
    folder.write(&good);
    folder.files.look().expect("a pair");
    let half_written = &other.certificate[..other.certificate.len() / 2];
    for (name, text, reason) in [
        ("tls.crt", other.certificate.as_str(), "does not belong"),
        ("tls.crt", half_written, "no PEM certificate"),
        ("tls.crt", "", "no PEM certificate"),
        ("tls.key", "garbage", "no PEM private key"),
    ] {
        folder.write(&good);
        folder.files.look().expect("the good pair");
        folder.write_file(name, text);
        let refusal = folder.refusal();
        assert!(refusal.contains(reason), "`{refusal}` lacks `{reason}`");
        assert!(folder.serves(&good), "{reason}");
    }
}

#[test]
fn a_fault_is_told_once_and_its_end_is_noticed() {
    let (mut folder, good) = (Folder::new(), pair());
    folder.write(&good);
    folder.write_file("tls.key", "garbage");
    folder.refusal();
    assert_eq!(folder.files.look().expect("nothing new"), Look::Same);
    folder.write(&good);
    assert_eq!(folder.files.look().expect("a pair"), exchanged());
}

#[test]
fn missing_files_are_refused_by_name_until_they_appear() {
    let mut folder = Folder::new();
    assert!(folder.refusal().contains("tls.crt"));
    assert!(folder.files.resolver().current().is_none());
    folder.write(&pair());
    assert_eq!(folder.files.look().expect("a pair"), exchanged());
}

#[test]
fn a_pair_that_is_over_or_too_early_leaves_the_last_good_one() {
    let (mut folder, good) = (Folder::new(), pair_of(NOON - 60, NOON + 60));
    folder.write(&good);
    folder.files.look().expect("a pair");
    folder.write(&pair_of(NOON - 60, NOON - 1));
    assert!(folder.refusal().contains("expired"));
    assert!(folder.serves(&good));
    let early = pair_of(NOON + 30, NOON + 90);
    folder.write(&early);
    assert!(folder.refusal().contains("not valid yet"));
    assert_eq!(folder.files.look().expect("nothing new"), Look::Same);
    assert!(folder.serves(&good));
    folder.time.store(NOON + 30, Relaxed);
    assert!(matches!(folder.files.look(), Ok(Look::Exchanged(_))));
    assert!(folder.serves(&early));
}

#[test]
fn a_pair_that_is_over_is_taken_when_the_clock_steps_back() {
    let (mut folder, pair) = (Folder::new(), pair_of(NOON - 60, NOON + 60));
    folder.write(&pair);
    folder.time.store(NOON + 3600, Relaxed);
    assert!(folder.refusal().contains("expired"));
    assert_eq!(folder.files.look().expect("nothing new"), Look::Same);
    folder.time.store(NOON - 3600, Relaxed);
    assert!(folder.refusal().contains("not valid yet"));
    folder.time.store(NOON, Relaxed);
    assert!(matches!(folder.files.look(), Ok(Look::Exchanged(_))));
    let standing = folder.files.standing();
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(standing.obstacle(at(NOON - 61)), Some(Obstacle::Early));
}

#[test]
fn a_certificate_for_nobody_or_for_others_is_not_served_and_its_names_are_told() {
    const SERVICE: &str = "mayfly-webhook.mayfly.svc";
    let cases: [(&[&str], &[&str], &[&str]); 6] = [
        (
            &[],
            &[SERVICE],
            &["no subject alternative name", "issue it for `mayfly-webhook.mayfly.svc`"],
        ),
        (&[], &[], &["no subject alternative name"]),
        (
            &["mayfly-webhook", "10.0.0.1"],
            &[SERVICE],
            &[
                "for `mayfly-webhook`, `10.0.0.1`, not for `mayfly-webhook.mayfly.svc`",
                "--tls-name",
            ],
        ),
        (&[SERVICE], &[SERVICE, "10.0.0.1"], &["not for `10.0.0.1`"]),
        (&["*.svc"], &[SERVICE], &["for `*.svc`, not for"]),
        (&["10.0.0.2"], &["10.0.0.1"], &["for `10.0.0.2`, not for `10.0.0.1`"]),
    ];
    for (has, called, words) in cases {
        let mut folder = Folder::called(called);
        folder.write(&pair_named(has, NOON - 60, NOON + 60));
        let refusal = folder.refusal();
        for word in words {
            assert!(refusal.contains(word), "`{refusal}` lacks `{word}`");
        }
        assert!(folder.files.resolver().current().is_none());
    }
}

#[test]
fn a_certificate_for_the_name_that_is_called_is_served_whatever_else_it_is_for() {
    let cases: [(&[&str], &[&str]); 4] = [
        (&["other", "mayfly-webhook.mayfly.svc"], &["mayfly-webhook.mayfly.svc"]),
        (&["*.mayfly.svc"], &["mayfly-webhook.mayfly.svc"]),
        (&["10.0.0.1"], &["10.0.0.1"]),
        (&["anything"], &[]),
    ];
    for (has, called) in cases {
        let mut folder = Folder::called(called);
        folder.write(&pair_named(has, NOON - 60, NOON + 60));
        assert!(matches!(folder.files.look(), Ok(Look::Exchanged(_))), "{has:?} for {called:?}");
    }
}

#[test]
fn a_good_pair_is_not_given_up_for_one_that_is_for_others() {
    let mut folder = Folder::new();
    let good = pair_of(NOON - 60, NOON + 60);
    folder.write(&good);
    folder.files.look().expect("a pair");
    folder.write(&pair_named(&["elsewhere"], NOON - 60, NOON + 3600));
    assert!(folder.refusal().contains("`elsewhere`"));
    assert!(folder.serves(&good));
}

#[tokio::test]
async fn readiness_begins_with_a_handshake_and_ends_with_the_certificate() {
    let mut folder = Folder::new();
    let standing = folder.files.standing();
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(standing.obstacle(at(NOON)), Some(Obstacle::NoCertificate));
    folder.write(&pair_of(NOON - 60, NOON + 60));
    folder.files.look().expect("a pair");
    assert_eq!(standing.obstacle(at(NOON)), Some(Obstacle::Unproven));
    folder.files.prove().await.expect("a handshake");
    assert_eq!(standing.obstacle(at(NOON + 60)), None);
    assert_eq!(standing.obstacle(at(NOON + 61)), Some(Obstacle::Expired));
}

#[tokio::test(start_paused = true)]
async fn the_files_are_looked_at_on_an_interval() {
    let (folder, good) = (Folder::new(), pair());
    let (resolver, standing) = (folder.files.resolver(), folder.files.standing());
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let listener: Listener = Arc::new(move |event| {
        report.send(matches!(event, Event::Exchanged { .. })).expect("a listener");
    });
    let refresh = folder.files.keep_fresh(Duration::from_secs(10), listener);
    let task = tokio::spawn(refresh);
    assert_eq!(reports.recv().await, Some(false), "no files yet");
    assert_eq!(standing.obstacle(SystemTime::UNIX_EPOCH), Some(Obstacle::Refused));
    fs::write(folder.directory.path().join("tls.crt"), &good.certificate).expect("a file");
    fs::write(folder.directory.path().join("tls.key"), &good.key).expect("a file");
    while reports.recv().await != Some(true) {}
    assert!(resolver.current().is_some());
    task.abort();
}
