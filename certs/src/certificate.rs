//! What is to be known of a certificate that somebody else may have made.
//!
//! PURE.

use std::time::{Duration, SystemTime};

use x509_parser::{certificate::X509Certificate, prelude::FromDer, time::ASN1Time};

use crate::replica::Replica;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose certificate authority it is, if Mayfly made it.
    pub replica: Option<Replica>,
    /// Before this it is not valid.
    pub not_before: SystemTime,
    /// After this it is not valid.
    pub not_after: SystemTime,
}

/// Reads DER; nothing, if that is no certificate.
pub fn read(der: &[u8]) -> Option<Facts> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let validity = certificate.validity();
    Some(Facts {
        replica: Replica::of(certificate.subject()),
        not_before: time(validity.not_before)?,
        not_after: time(validity.not_after)?,
    })
}

fn time(time: ASN1Time) -> Option<SystemTime> {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}
