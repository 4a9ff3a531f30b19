//! Whom TLS trusts: the authorities in a text, or the system's; and what may be wrong with
//! certificates.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{RootCertStore, crypto::CryptoProvider};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use thiserror::Error;

/// Where Linux distributions, and the agent's own image, keep the system's authorities. They are
/// looked for here rather than where `SSL_CERT_FILE` points: the environment decides nothing.
const SYSTEM: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
];

/// Certificate authorities that cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The file of `ca` cannot be read.
    #[error("the certificate authorities in `{path}` cannot be read: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The text of `ca` holds none.
    #[error("`ca` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")]
    Pem,
    /// The system has none.
    #[error("this system has no certificate authorities ({}, …); name some with `ca`", SYSTEM[0])]
    System,
    /// A file of the client's own pair cannot be read.
    #[error("the client certificate or key in `{path}` cannot be used: {reason}")]
    ClientFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The client's certificate and key are no pair.
    #[error(
        "the client certificate in `{certificate}` and the key in `{key}` cannot be used: {reason}"
    )]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The server's name is none.
    #[error("`server-name`: `{0}` is no name of a server; write one such as `vault.example`")]
    ServerName(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// The one provider of cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The authorities in a text.
pub(super) fn parse(pem: &[u8]) -> Option<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
    (!store.is_empty()).then_some(store)
}

/// The system's authorities.
pub(super) fn system() -> Result<RootCertStore, CertificateError> {
    let bundle = SYSTEM.iter().map(Path::new).find(|path| path.exists());
    let found = rustls_native_certs::load_certs_from_paths(bundle, None);
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() { Err(CertificateError::System) } else { Ok(store) }
}
