//! A certificate chain with the key that belongs to it.
//!
//! PURE: from PEM text to what rustls serves; the time is an argument.

use std::time::SystemTime;

use rustls::{crypto::CryptoProvider, pki_types::CertificateDer, sign::CertifiedKey};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use thiserror::Error;

use crate::certificate;

/// Two texts that are no pair. Says nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PairError {
    /// No certificate can be read.
    #[error("the certificate file holds no PEM certificate")]
    Certificate,
    /// No key can be read.
    #[error("the key file holds no PEM private key")]
    Key,
    /// A key of a kind that cannot sign here.
    #[error("the private key is of a kind that is not supported; use ECDSA, Ed25519 or RSA")]
    KeyKind,
    /// The key is another certificate's.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    /// Its time is over.
    #[error("the certificate has expired")]
    Expired,
    /// Its time has not come.
    #[error("the certificate is not valid yet; it is looked at again")]
    Early,
}

/// Refuses a chain that no client would accept at the time `now`; else tells when its end is.
pub fn end(chain: &[CertificateDer<'_>], now: SystemTime) -> Result<SystemTime, PairError> {
    let leaf = chain.first().and_then(|leaf| certificate::read(leaf));
    let facts = leaf.ok_or(PairError::Certificate)?;
    if facts.not_after < now {
        Err(PairError::Expired)
    } else if now < facts.not_before {
        Err(PairError::Early)
    } else {
        Ok(facts.not_after)
    }
}

/// Reads `certificates` and `key`, and refuses them unless they belong together.
pub fn parse(
    certificates: &[u8],
    key: &[u8],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, PairError> {
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(certificates).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or(PairError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PairError::Key)?;
    let signer = provider.key_provider.load_private_key(key);
    let pair = CertifiedKey::new(chain, signer.map_err(|_| PairError::KeyKind)?);
    match pair.keys_match() {
        Ok(()) => Ok(pair),
        Err(rustls::Error::InconsistentKeys(_)) => Err(PairError::Mismatch),
        Err(_) => Err(PairError::Certificate),
    }
}
