//! A certificate chain with the key that belongs to it.
//!
//! PURE: from PEM text to what rustls serves; the time is an argument.

use std::time::SystemTime;

use rustls::{
    client::verify_server_name,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
    sign::CertifiedKey,
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use thiserror::Error;

use crate::certificate::{self, Facts, Untimely, Validity};

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
    /// It is for nobody.
    #[error(
        "the certificate has no subject alternative name, without which no API server accepts it \
         (a common name alone is not looked at); issue it for {0}"
    )]
    Nameless(String),
    /// It is for others.
    #[error(
        "the certificate is for {names}, not for `{needed}`, which the API server calls; issue it \
         with that name too, or say with --tls-name what the API server calls instead"
    )]
    Misnamed {
        /// The names that it has.
        names: String,
        /// The first that it lacks.
        needed: String,
    },
}

impl PairError {
    /// Whether it may be over although the files stay as they are.
    pub fn is_of_its_time(&self) -> bool {
        matches!(self, Self::Expired | Self::Early)
    }
}

/// Refuses a chain that no client would accept at the time `now`, or that an API server would not accept
/// under each of `names`; else tells when it is valid.
pub fn judge(
    chain: &[CertificateDer<'_>],
    names: &[ServerName<'_>],
    now: SystemTime,
) -> Result<Validity, PairError> {
    let leaf = chain.first().ok_or(PairError::Certificate)?;
    let facts = certificate::read(leaf).ok_or(PairError::Certificate)?;
    match facts.validity.fault(now) {
        Some(Untimely::Expired) => return Err(PairError::Expired),
        Some(Untimely::Early) => return Err(PairError::Early),
        None => {}
    }
    is_named(leaf, &facts, names)?;
    Ok(facts.validity)
}

fn is_named(
    leaf: &CertificateDer<'_>,
    facts: &Facts,
    names: &[ServerName<'_>],
) -> Result<(), PairError> {
    if facts.names.is_empty() {
        let needed = names.iter().map(|name| quoted(&name.to_str())).collect::<Vec<_>>();
        let needed = if needed.is_empty() { "the webhook's".to_owned() } else { needed.join(", ") };
        return Err(PairError::Nameless(needed));
    }
    let leaf = ParsedCertificate::try_from(leaf).map_err(|_| PairError::Certificate)?;
    match names.iter().find(|name| verify_server_name(&leaf, name).is_err()) {
        None => Ok(()),
        Some(needed) => Err(PairError::Misnamed {
            names: facts.names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "),
            needed: needed.to_str().into_owned(),
        }),
    }
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
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
