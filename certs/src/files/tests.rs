use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs::default_provider;

use super::*;

/// A folder with a certificate and a key, as a Secret volume has them.
struct Folder {
    directory: tempfile::TempDir,
    files: CertificateFiles,
}

struct Pair {
    certificate: String,
    key: String,
}

fn pair() -> Pair {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    Pair { certificate: cert.pem(), key: signing_key.serialize_pem() }
}

impl Folder {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let path = |name| directory.path().join(name);
        let provider = Arc::new(default_provider());
        let files = CertificateFiles::new(path("tls.crt"), path("tls.key"), provider);
        Self { directory, files }
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
    assert_eq!(folder.files.look().expect("a pair"), Look::Exchanged);
    assert_eq!(folder.files.look().expect("a pair"), Look::Same);
    folder.write(&second);
    assert_eq!(folder.files.look().expect("a pair"), Look::Exchanged);
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
    assert_eq!(folder.files.look().expect("a pair"), Look::Exchanged);
}

#[test]
fn missing_files_are_refused_by_name_until_they_appear() {
    let mut folder = Folder::new();
    assert!(folder.refusal().contains("tls.crt"));
    assert!(folder.files.resolver().current().is_none());
    folder.write(&pair());
    assert_eq!(folder.files.look().expect("a pair"), Look::Exchanged);
}

#[tokio::test(start_paused = true)]
async fn the_files_are_looked_at_on_an_interval() {
    let (folder, good) = (Folder::new(), pair());
    let resolver = folder.files.resolver();
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let refresh = folder.files.keep_fresh(Duration::from_secs(10), move |outcome| {
        report.send(outcome.is_ok()).expect("a listener");
    });
    let task = tokio::spawn(refresh);
    assert_eq!(reports.recv().await, Some(false), "no files yet");
    fs::write(folder.directory.path().join("tls.crt"), &good.certificate).expect("a file");
    fs::write(folder.directory.path().join("tls.key"), &good.key).expect("a file");
    while reports.recv().await != Some(true) {}
    assert!(resolver.current().is_some());
    task.abort();
}
