//! Either kind of identity, for who serves with it and need not know which.

use std::{sync::Arc, time::Duration};

use crate::{
    event::Listener, files::CertificateFiles, resolver::Resolver, self_issued::SelfIssued,
    standing::Standing,
};

/// How often the certificate files are looked at: soon after a rotation, which comes days before
/// the end of the old certificate.
const FILES_INTERVAL: Duration = Duration::from_secs(10);

/// Where the identity comes from.
#[derive(Debug)]
pub enum Source {
    /// From two files.
    Files(Box<CertificateFiles>),
    /// From ourselves.
    SelfIssued(Box<SelfIssued>),
}

impl Source {
    /// What rustls asks for the certificate.
    pub fn resolver(&self) -> Arc<Resolver> {
        match self {
            Self::Files(files) => files.resolver(),
            Self::SelfIssued(identity) => identity.resolver(),
        }
    }

    /// Whether the replica may be sent requests.
    pub fn standing(&self) -> Arc<Standing> {
        match self {
            Self::Files(files) => files.standing(),
            Self::SelfIssued(identity) => identity.standing(),
        }
    }

    /// Keeps the identity fresh, for ever.
    pub async fn keep_fresh(self, listener: Listener) {
        match self {
            Self::Files(files) => files.keep_fresh(FILES_INTERVAL, listener).await,
            Self::SelfIssued(identity) => Box::pin(identity.keep_fresh(listener)).await,
        }
    }
}
