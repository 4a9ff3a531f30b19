//! What is to be known of a certificate that somebody else may have made.
//!
//! PURE: the time is an argument.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, time::ASN1Time,
};

use crate::replica::Replica;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose certificate authority it is, if Mayfly made it.
    pub replica: Option<Replica>,
    /// The DNS names and IP addresses that it is for: its SANs, which are all that an API server looks at.
    pub names: Vec<String>,
    /// When it is valid.
    pub validity: Validity,
}

/// From when until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Before this it is not valid.
    pub not_before: SystemTime,
    /// After this it is not valid.
    pub not_after: SystemTime,
}

/// What is wrong with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untimely {
    /// The certificate is not valid yet.
    Early,
    /// The certificate is not valid any more.
    Expired,
}

impl Validity {
    /// What is wrong with it at the time `now`, if anything is.
    pub fn fault(self, now: SystemTime) -> Option<Untimely> {
        if self.not_after < now {
            Some(Untimely::Expired)
        } else {
            (now < self.not_before).then_some(Untimely::Early)
        }
    }

    /// How much of it is left at the time `now`: nothing, if it is not valid then.
    pub fn remaining(self, now: SystemTime) -> Duration {
        match self.fault(now) {
            Some(_) => Duration::ZERO,
            None => self.not_after.duration_since(now).unwrap_or_default(),
        }
    }
}

/// Reads DER; nothing, if that is no certificate.
pub fn read(der: &[u8]) -> Option<Facts> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let validity = certificate.validity();
    let validity =
        Validity { not_before: time(validity.not_before)?, not_after: time(validity.not_after)? };
    let replica = Replica::of(certificate.subject());
    Some(Facts { replica, names: names(&certificate), validity })
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.map(|extension| extension.value.general_names.as_slice());
    names.unwrap_or_default().iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let short = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    short.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
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
