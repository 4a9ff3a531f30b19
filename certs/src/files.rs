//! A pair of files, as cert-manager or a Secret volume has them: read by content, never watched.
//!
//! EDGE: reads files. The kubelet exchanges a mounted Secret by a rename of `..data`, which a watch
//! of the file misses; a look at the content misses nothing.

#![expect(clippy::disallowed_methods, reason = "the rim between certificate files and TLS")]

use std::{fs, io, path::PathBuf, sync::Arc, time::Duration};

use rustls::crypto::CryptoProvider;
use thiserror::Error;

use crate::{
    pair::{self, PairError},
    resolver::Resolver,
};

/// Why the files give no new pair; the last good one stays.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FilesError {
    /// A file that cannot be read.
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    /// Files that hold no pair.
    #[error("{0} and {1} hold no pair")]
    Pair(PathBuf, PathBuf, #[source] PairError),
}

/// What a look at the files found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The content of the last look.
    Same,
    /// A new pair, which is served from now on.
    Exchanged,
}

/// A certificate file and its key file.
#[derive(Debug)]
pub struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    resolver: Arc<Resolver>,
    /// What the last look read, good or bad, so that each fault is told once.
    seen: Option<Contents>,
}

#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contents")
    }
}

impl CertificateFiles {
    /// The files' names; nothing is read yet.
    pub fn new(certificate: PathBuf, key: PathBuf, provider: Arc<CryptoProvider>) -> Self {
        Self { certificate, key, provider, resolver: Arc::default(), seen: None }
    }

    /// What rustls asks for the pair.
    pub fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.resolver)
    }

    /// Reads both files, and serves them if they are new and belong together.
    pub fn look(&mut self) -> Result<Look, FilesError> {
        let contents = self.read()?;
        if self.seen.as_ref() == Some(&contents) {
            return Ok(Look::Same);
        }
        let pair = pair::parse(&contents.certificate, &contents.key, &self.provider);
        self.seen = Some(contents);
        let unpaired = |error| FilesError::Pair(self.certificate.clone(), self.key.clone(), error);
        self.resolver.exchange(pair.map_err(unpaired)?);
        Ok(Look::Exchanged)
    }

    fn read(&self) -> Result<Contents, FilesError> {
        let read =
            |path: &PathBuf| fs::read(path).map_err(|error| FilesError::Read(path.clone(), error));
        Ok(Contents { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    /// Looks at once and then on every interval, for ever; `report` hears of every exchange and
    /// every fault.
    pub async fn keep_fresh(
        mut self,
        interval: Duration,
        mut report: impl FnMut(Result<(), FilesError>),
    ) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.look() {
                Ok(Look::Same) => {}
                Ok(Look::Exchanged) => report(Ok(())),
                Err(error) => report(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
