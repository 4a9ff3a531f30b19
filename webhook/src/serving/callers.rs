//! The authorities of those who may ask: read again and again, taken when their content has changed and is good, and the
//! last good ones kept when it is not.
//!
//! EDGE: reads files, logs.

#![expect(clippy::disallowed_methods, reason = "the rim between authorities and their files")]

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use rustls::{
    RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::server::{Callers, Metrics};

/// How often the files are looked at: soon after a change, which comes long before the end of the old authority.
const INTERVAL: Duration = Duration::from_secs(10);

/// Looks after the authorities.
pub(super) struct AuthorityFiles {
    files: Vec<PathBuf>,
    callers: Arc<Callers>,
    metrics: Arc<Metrics>,
    /// What the last look found, good or bad, so that each is told once.
    seen: Found,
}

/// Each file's name and text, or why there is none.
type Found = Result<Vec<(String, Vec<u8>)>, String>;

/// The callers that the arguments speak of, if they do, and who keeps them fresh. Without good files nothing is served:
/// who may ask is not known.
pub(super) fn read(
    files: Vec<PathBuf>,
    provider: &Arc<CryptoProvider>,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Option<AuthorityFiles>> {
    if files.is_empty() {
        return Ok(None);
    }
    let seen = find(&files);
    let authorities = parse(&seen).context("--client-ca")?;
    let callers = Arc::new(Callers::new(authorities, Arc::clone(provider))?);
    Ok(Some(AuthorityFiles { files, callers, metrics: Arc::clone(metrics), seen }))
}

impl AuthorityFiles {
    pub(super) fn callers(&self) -> Arc<Callers> {
        Arc::clone(&self.callers)
    }

    /// Looks on every interval, for ever.
    pub(super) async fn keep_fresh(mut self) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look();
        }
    }

    fn look(&mut self) {
        let found = find(&self.files);
        if self.seen == found {
            return;
        }
        self.seen = found;
        let taken =
            parse(&self.seen).and_then(|authorities| Ok(self.callers.exchange(authorities)?));
        match taken {
            Ok(()) => tracing::info!("new authorities vouch for callers"),
            Err(error) => {
                self.metrics.client_ca_refused();
                let error = format!("{error:#}");
                tracing::error!(%error, "the client CA cannot be used; the last good one stays in force");
            }
        }
    }
}

fn find(files: &[PathBuf]) -> Found {
    let read = |file: &PathBuf| {
        let name = file.display().to_string();
        match fs::read(file) {
            Ok(text) => Ok((name, text)),
            Err(error) => Err(format!("cannot read {name}: {error}")),
        }
    };
    files.iter().map(read).collect()
}

fn parse(found: &Found) -> anyhow::Result<RootCertStore> {
    let texts = found.as_ref().map_err(|error| anyhow::Error::msg(error.clone()))?;
    let mut store = RootCertStore::empty();
    for (name, text) in texts {
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.with_context(|| format!("{name} is no PEM"))?;
            let added = store.add(certificate);
            added.with_context(|| format!("{name} holds a certificate that cannot be read"))?;
        }
        if store.len() == before {
            bail!("{name} holds no PEM certificate");
        }
    }
    Ok(store)
}

#[cfg(test)]
mod tests;
