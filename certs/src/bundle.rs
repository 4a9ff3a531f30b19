//! The certificates that an API server trusts for a webhook: one text, in which each replica has an entry.
//!
//! PURE: from text to entries to text. Nobody owns the whole: each replica sees to its own entry, what
//! Mayfly did not make is nobody's, and what the sweep found to be of no use goes when somebody writes.

use std::{collections::BTreeSet, fmt, sync::Arc, time::SystemTime};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{certificate, replica::Replica};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// The characters of a line in PEM.
const WIDTH: usize = 64;

/// A certificate's bytes.
pub type Der = Arc<[u8]>;

/// One certificate of the bundle.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    replica: Option<Replica>,
    not_after: SystemTime,
    certificate: Der,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("replica", &self.replica).finish_non_exhaustive()
    }
}

impl Entry {
    pub(crate) fn own(
        replica: Replica,
        not_after: SystemTime,
        certificate: &CertificateDer<'_>,
    ) -> Self {
        Self { replica: Some(replica), not_after, certificate: Arc::from(certificate.as_ref()) }
    }

    /// Whose it is, if Mayfly made it.
    pub fn replica(&self) -> Option<&Replica> {
        self.replica.as_ref()
    }

    /// After this it is of no use.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// The certificate itself.
    pub fn certificate(&self) -> &Der {
        &self.certificate
    }

    fn parse(block: &str) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(block.as_bytes()).ok()?;
        let facts = certificate::read(&certificate)?;
        let (replica, not_after) = (facts.replica, facts.validity.not_after);
        Some(Self { replica, not_after, certificate: Arc::from(certificate.as_ref()) })
    }
}

/// What one replica wants changed.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Who wants it.
    pub replica: &'a Replica,
    /// All of this replica's entries: what else has its name goes.
    pub own: &'a [Entry],
    /// Other replicas' entries that are to be there too.
    pub restored: &'a [Entry],
    /// What is of no use to anybody.
    pub useless: &'a BTreeSet<Der>,
}

/// The certificates, first those that Mayfly did not make, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    entries: Vec<Entry>,
    /// How many blocks of the text were none.
    unreadable: usize,
}

impl Bundle {
    /// Reads what can be read.
    pub fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut entries = Vec::new();
        for block in text.split(BEGIN).skip(1) {
            let block = block.split_once(END).map(|(body, _)| format!("{BEGIN}{body}{END}"));
            entries.extend(block.and_then(|block| Entry::parse(&block)));
        }
        let unreadable = text.matches("-----BEGIN ").count().saturating_sub(entries.len());
        Self { entries, unreadable }
    }

    /// All of them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many blocks were no certificate.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Whether `entry` is there.
    pub fn holds(&self, entry: &Entry) -> bool {
        self.entries.iter().any(|held| held.certificate == entry.certificate)
    }

    /// Whether the same certificates are in both, in whatever order, and nothing else.
    pub fn is_as_good_as(&self, other: &Self) -> bool {
        let certificates = |bundle: &Self| -> BTreeSet<_> {
            bundle.entries.iter().map(|entry| entry.certificate.clone()).collect()
        };
        self.unreadable == other.unreadable
            && self.entries.len() == other.entries.len()
            && certificates(self) == certificates(other)
    }

    /// The bundle as `change` wants it: always the same text, and the same again when asked again.
    #[must_use]
    pub fn merge(&self, change: &Change<'_>) -> Self {
        let (foreign, ours): (Vec<Entry>, Vec<Entry>) =
            self.entries.iter().cloned().partition(|entry| entry.replica.is_none());
        let others = ours.into_iter().chain(change.restored.iter().cloned()).filter(|entry| {
            entry.replica.as_ref() != Some(change.replica)
                && !change.useless.contains(&entry.certificate)
        });
        let ours: BTreeSet<Entry> = others.chain(change.own.iter().cloned()).collect();
        let mut seen = BTreeSet::new();
        let mut entries: Vec<Entry> = foreign.into_iter().chain(ours).collect();
        entries.retain(|entry| seen.insert(entry.certificate.clone()));
        Self { entries, unreadable: 0 }
    }
}

/// As PEM.
impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            writeln!(f, "{BEGIN}")?;
            let mut body = BASE64_STANDARD.encode(&entry.certificate);
            while !body.is_empty() {
                let rest = body.split_off(body.len().min(WIDTH));
                writeln!(f, "{body}")?;
                body = rest;
            }
            writeln!(f, "{END}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
