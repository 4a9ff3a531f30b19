//! A pair of files, as cert-manager or a Secret volume has them: read by content, never watched.
//!
//! EDGE: reads files. The kubelet exchanges a mounted Secret by a rename of `..data`, which a watch
//! of the file misses; a look at the content misses nothing.

#![expect(clippy::disallowed_methods, reason = "the rim between certificate files and TLS")]

use std::{
    fs, io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{crypto::CryptoProvider, pki_types::ServerName, sign::CertifiedKey};
use thiserror::Error;

use crate::{
    certificate::Validity,
    event::{Event, Listener},
    pair::{self, PairError},
    proof::{ProofError, Prover, Trust},
    resolver::Resolver,
    standing::Standing,
    timing::{Timing, WallClock},
};

/// Why the files give no new pair; the last good one stays.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FilesError {
    /// A file that cannot be read.
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    /// Files that hold no pair.
    #[error("{0} and {1} hold no pair that can be served")]
    Pair(PathBuf, PathBuf, #[source] PairError),
}

/// What a look at the files found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The content of the last look.
    Same,
    /// A new pair, which is served from now on until the time that is given.
    Exchanged(SystemTime),
}

/// A certificate file and its key file.
pub struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    names: Vec<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
    clock: WallClock,
    prover: Prover,
    resolver: Arc<Resolver>,
    standing: Arc<Standing>,
    /// What the last look read, good or bad, so that each fault is told once.
    seen: Option<Contents>,
    /// What was wrong with it.
    refusal: Option<PairError>,
}

impl std::fmt::Debug for CertificateFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateFiles")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
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
    /// The files' names, and the names that an API server calls, as far as they are known; nothing is read yet.
    pub fn new(
        certificate: PathBuf,
        key: PathBuf,
        names: Vec<ServerName<'static>>,
        provider: Arc<CryptoProvider>,
        clock: WallClock,
        prover: Prover,
    ) -> Self {
        let standing = Arc::new(Standing::new(Timing::default().patience));
        standing.needs_proof();
        Self {
            certificate,
            key,
            names,
            provider,
            clock,
            prover,
            resolver: Arc::default(),
            standing,
            seen: None,
            refusal: None,
        }
    }

    /// What rustls asks for the pair.
    pub fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.resolver)
    }

    /// Whether there is a pair, it has not ended, and our own port serves it.
    pub fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing)
    }

    /// Reads both files, and serves them if they are new, belong together, are for the names that are
    /// called, and are valid now.
    pub fn look(&mut self) -> Result<Look, FilesError> {
        let contents = self.read()?;
        let same = self.seen.as_ref() == Some(&contents);
        if same && !self.refusal.as_ref().is_some_and(PairError::is_of_its_time) {
            return Ok(Look::Same);
        }
        let pair = self.parse(&contents);
        let refusal = pair.as_ref().err().cloned();
        let told = same && refusal == self.refusal;
        (self.seen, self.refusal) = (Some(contents), refusal);
        if told {
            return Ok(Look::Same);
        }
        let unpaired = |error| FilesError::Pair(self.certificate.clone(), self.key.clone(), error);
        let (pair, validity) = pair.map_err(unpaired)?;
        self.resolver.exchange(pair);
        self.standing.serves(validity);
        Ok(Look::Exchanged(validity.not_after))
    }

    fn parse(&self, contents: &Contents) -> Result<(CertifiedKey, Validity), PairError> {
        let pair = pair::parse(&contents.certificate, &contents.key, &self.provider)?;
        let validity = pair::judge(&pair.cert, &self.names, (self.clock)())?;
        Ok((pair, validity))
    }

    fn read(&self) -> Result<Contents, FilesError> {
        let read =
            |path: &PathBuf| fs::read(path).map_err(|error| FilesError::Read(path.clone(), error));
        Ok(Contents { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    /// Looks at once and then on every interval, for ever.
    pub async fn keep_fresh(mut self, interval: Duration, listener: Listener) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.look() {
                Ok(Look::Same) => {}
                Ok(Look::Exchanged(not_after)) => listener(Event::Exchanged { not_after }),
                Err(error) => {
                    self.standing.refused();
                    listener(Event::Fault(error.into()));
                }
            }
            if let Err(error) = self.prove().await {
                listener(Event::Fault(error.into()));
            }
        }
    }

    /// A handshake with our own port, if there is something to serve.
    async fn prove(&self) -> Result<(), ProofError> {
        let Some(pair) = self.resolver.current() else { return Ok(()) };
        let outcome = (self.prover)(Trust::Exactly(pair.cert[0].as_ref().into())).await;
        self.standing.proven(outcome.is_ok());
        outcome
    }
}

#[cfg(test)]
mod tests;
