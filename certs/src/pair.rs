//! A certificate chain with the key that belongs to it.
//!
//! PURE: from PEM text to what rustls serves.

use rustls::{crypto::CryptoProvider, pki_types::CertificateDer, sign::CertifiedKey};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use thiserror::Error;

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
