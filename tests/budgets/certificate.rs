//! A certificate for the loopback, and a client that trusts it and nothing else.

use std::{fs, path::Path, sync::Arc};

use anyhow::Result;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::CertificateDer};

/// Writes `tls.crt` and `tls.key` into `folder` and returns a client configuration for them.
pub(crate) fn make(folder: &Path) -> Result<Arc<ClientConfig>> {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    fs::write(folder.join("tls.crt"), pair.cert.pem())?;
    fs::write(folder.join("tls.key"), pair.signing_key.serialize_pem())?;
    client(pair.cert.der())
}

fn client(certificate: &CertificateDer<'static>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = builder.with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
