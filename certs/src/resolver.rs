//! The pair that is served now, exchanged without a lock while handshakes go on.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// Serves the newest pair; refuses handshakes until there is one.
#[derive(Debug, Default)]
pub struct Resolver(ArcSwapOption<CertifiedKey>);

impl Resolver {
    /// Serves `pair` from the next handshake on.
    pub fn exchange(&self, pair: impl Into<Arc<CertifiedKey>>) {
        self.0.store(Some(pair.into()));
    }

    /// The pair that is served now.
    pub fn current(&self) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
    }
}
