//! A replica's own identity: a certificate authority, and the one certificate that it ever signs.
//!
//! PURE: the time is an argument. The authority's key is gone when the certificate is signed, so that
//! whoever takes over the process can serve under our names, and no others, until the certificate ends.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::{crypto::CryptoProvider, sign::CertifiedKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use time::OffsetDateTime;

use crate::{bundle::Entry, certificate::Validity, replica::Replica};

/// How far an API server's clock may be behind ours, and how far ours may step back without a new certificate.
const BACKDATE: Duration = Duration::from_hours(24);

/// Why there is no identity.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// Names that no certificate can have, or no random numbers.
    #[error("cannot make a certificate for {0}")]
    Certificate(String, #[source] rcgen::Error),
    /// A key that rustls cannot use.
    #[error("cannot use the certificate's key")]
    Key(#[source] rustls::Error),
}

/// Who wants an identity, for what, for how long.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Whose it is.
    pub replica: Replica,
    /// DNS names and IP addresses.
    pub names: Vec<String>,
    /// How long it is valid from now on.
    pub lifetime: Duration,
}

/// What is served, and what makes it trusted.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate authority, for the bundle.
    pub authority: Entry,
    /// The certificate with its key.
    pub pair: Arc<CertifiedKey>,
    /// When both are valid.
    pub validity: Validity,
}

impl Wish {
    /// Makes the identity.
    pub fn issue(
        &self,
        now: SystemTime,
        provider: &CryptoProvider,
    ) -> Result<Identity, IssueError> {
        let validity = self.validity(whole_seconds(now));
        let (authority, leaf, key) = self
            .sign(validity)
            .map_err(|error| IssueError::Certificate(self.names.join(", "), error))?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signer = provider.key_provider.load_private_key(key).map_err(IssueError::Key)?;
        Ok(Identity {
            authority: Entry::own(self.replica.clone(), validity.not_after, authority.der()),
            pair: Arc::new(CertifiedKey::new(vec![leaf.into()], signer)),
            validity,
        })
    }

    fn validity(&self, now: SystemTime) -> Validity {
        Validity { not_before: now - BACKDATE, not_after: now + self.lifetime }
    }

    fn sign(
        &self,
        validity: Validity,
    ) -> Result<(rcgen::Certificate, rcgen::Certificate, KeyPair), rcgen::Error> {
        let (authority, leaf) = (self.authority(validity), self.leaf(validity)?);
        let authority_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let root = authority.self_signed(&authority_key)?;
        let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key))?;
        Ok((root, leaf, key))
    }

    fn authority(&self, validity: Validity) -> CertificateParams {
        let mut params = dated(CertificateParams::default(), validity);
        params.distinguished_name = self.replica.subject();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
    }

    fn leaf(&self, validity: Validity) -> Result<CertificateParams, rcgen::Error> {
        let mut params = dated(CertificateParams::new(self.names.clone())?, validity);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "mayfly-webhook");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }
}

fn dated(mut params: CertificateParams, validity: Validity) -> CertificateParams {
    params.not_before = OffsetDateTime::from(validity.not_before);
    params.not_after = OffsetDateTime::from(validity.not_after);
    params
}

/// A certificate knows no more of a time.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests;
