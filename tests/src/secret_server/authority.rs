//! A certificate authority that lives in memory, and the pairs that it signs.

use std::{fmt, sync::Arc};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use reqwest::{Client, redirect::Policy};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio_rustls::TlsAcceptor;

/// The names that every pair is for.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// A certificate authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pem: String,
}

/// A certificate for the loopback and its key, in PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// Makes a new one.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Mayfly's stand-in authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)
            .context("cannot make a certificate authority")?;
        let pem = issuer.pem();
        Ok(Self { issuer, pem })
    }

    /// Its own certificate, which clients are to trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A new pair for the loopback.
    pub fn pair(&self) -> Result<Pair> {
        let (certificate, key) = self.sign()?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// A client that trusts this authority only, uses no proxy and follows no redirect.
    pub fn client(&self) -> Result<Client> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone())?;
        let tls = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder().tls_backend_preconfigured(tls).no_proxy();
        client.redirect(Policy::none()).build().context("cannot make a client")
    }

    /// A TLS server with a new pair.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor> {
        let (certificate, key) = self.sign()?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(self.clients()?)
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Whoever shows a certificate has it from this authority; nobody must.
    fn clients(&self) -> Result<Arc<dyn ClientCertVerifier>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
        verifier.allow_unauthenticated().build().context("cannot verify clients")
    }

    fn sign(&self) -> Result<(rcgen::Certificate, KeyPair)> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(NAMES.map(str::to_owned))?;
        let certificate =
            params.signed_by(&key, &self.issuer).context("cannot sign a certificate")?;
        Ok((certificate, key))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").finish_non_exhaustive()
    }
}
