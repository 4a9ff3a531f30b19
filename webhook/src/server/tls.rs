//! TLS as the API server speaks it: version 1.3, HTTP/1.1, nothing else.

use std::sync::Arc;

use rustls::{
    ServerConfig, crypto::CryptoProvider, server::NoServerSessionStorage,
    server::ResolvesServerCert, version::TLS13,
};
use thiserror::Error;

use super::Callers;

/// A provider without what TLS 1.3 needs.
#[derive(Debug, Error)]
#[error("the crypto provider does not serve TLS 1.3")]
pub struct TlsError(#[source] rustls::Error);

/// TLS with the identity that `resolver` serves. Kubernetes 1.30's API server, the oldest that we
/// are for, speaks 1.3; HTTP/2 is never offered, and so never attacked. A client is asked for a certificate if there are
/// `callers` to tell it by; one that has none is not refused here but told so.
pub fn config(
    provider: Arc<CryptoProvider>,
    resolver: Arc<dyn ResolvesServerCert>,
    callers: Option<&Arc<Callers>>,
) -> Result<ServerConfig, TlsError> {
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError)?;
    let config = match callers {
        Some(callers) => config.with_client_cert_verifier(Arc::clone(callers) as _),
        None => config.with_no_client_auth(),
    };
    let mut config = config.with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // The API server resumes nothing, and who is trusted is asked at each handshake.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}
