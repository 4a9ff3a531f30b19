use rustls::crypto::aws_lc_rs;

use super::*;

fn authority() -> String {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.self_signed(&key).expect("a certificate").pem()
}

fn read_files(files: &[PathBuf]) -> anyhow::Result<Option<AuthorityFiles>> {
    read(files.to_vec(), &Arc::new(aws_lc_rs::default_provider()), &Arc::default())
}

fn faults(files: &AuthorityFiles) -> String {
    let text = files.metrics.render();
    let lines: Vec<&str> = text.lines().collect();
    let name = "mayfly_webhook_client_ca_faults_total ";
    lines.iter().find_map(|line| line.strip_prefix(name)).expect("a metric").to_owned()
}

#[test]
fn without_files_everybody_may_ask() {
    assert!(read_files(&[]).expect("no fault").is_none());
}

#[test]
fn a_fault_at_the_start_names_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad) = (folder.path().join("good.crt"), folder.path().join("bad.crt"));
    fs::write(&good, authority()).expect("a file");
    let words = |files: &[PathBuf]| {
        let error = read_files(files).err().expect("a fault");
        format!("{error:#}")
    };
    let both = [good, bad.clone()];
    assert!(words(&both).starts_with("--client-ca: cannot read "), "{}", words(&both));
    fs::write(&bad, "nothing").expect("a file");
    let told = words(&both);
    assert!(told.contains("bad.crt holds no PEM certificate"), "{told}");
}

#[test]
fn what_becomes_bad_is_counted_once_and_the_last_good_one_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.crt");
    fs::write(&file, authority() + &authority()).expect("a file");
    let files = read_files(std::slice::from_ref(&file)).expect("no fault");
    let mut files = files.expect("authorities");
    assert_eq!(parse(&files.seen).expect("authorities").len(), 2);
    for bad in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        fs::write(&file, bad).expect("a file");
        files.look();
        files.look();
    }
    assert_eq!(faults(&files), "2");
    fs::write(&file, authority()).expect("a file");
    files.look();
    assert_eq!(faults(&files), "2");
}
