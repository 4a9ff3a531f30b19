//! TLS as the API server speaks it: version 1.3, HTTP/1.1, nothing else.

use std::sync::Arc;

use rustls::{ServerConfig, crypto::CryptoProvider, server::ResolvesServerCert, version::TLS13};
use thiserror::Error;

/// A provider without what TLS 1.3 needs.
#[derive(Debug, Error)]
#[error("the crypto provider does not serve TLS 1.3")]
pub struct TlsError(#[source] rustls::Error);

/// TLS with the identity that `resolver` serves. Kubernetes 1.30's API server, the oldest that we
/// are for, speaks 1.3; HTTP/2 is never offered, and so never attacked.
pub fn config(
    provider: Arc<CryptoProvider>,
    resolver: Arc<dyn ResolvesServerCert>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
