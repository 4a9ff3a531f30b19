//! The operator's configuration while the server runs: read again and again, taken when its content
//! has changed and is good, and the last good one kept when it is not.
//!
//! EDGE: reads the file, watches namespaces, logs.

#![expect(clippy::disallowed_methods, reason = "the rim between the configuration and its file")]

mod watching;

use std::{
    fs,
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;

use crate::{
    args::OperatorArgs,
    namespaces::Namespaces,
    operator,
    server::{Metrics, Readiness, Reviewer},
};
use mayfly_admission::{config::Config, policy::Directory, review::Review};
pub(super) use watching::Watching;

/// How often the file is looked at: a kubelet brings a `ConfigMap`'s change within a minute or so.
const INTERVAL: Duration = Duration::from_secs(5);

/// How admission decides, given a configuration and what is known of namespaces.
type Decide = fn(&Config, &Directory, &[u8]) -> Review;

/// What is in force, for everybody who holds a clone.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    config: Arc<ArcSwap<Config>>,
    pub(super) namespaces: Namespaces,
}

impl InForce {
    pub(super) fn new(config: Config) -> Self {
        let namespaces = Namespaces::default();
        Self { config: Arc::new(ArcSwap::from_pointee(config)), namespaces }
    }

    /// What answers reviews by the configuration that is in force at the moment.
    pub(super) fn reviewer(&self, decide: Decide) -> Reviewer {
        let Self { config, namespaces } = self.clone();
        Arc::new(move |body| decide(&config.load(), &namespaces.directory(), body))
    }

    /// Not ready before the namespaces are known that the configuration needs.
    pub(super) fn readiness(&self, others: Readiness) -> Readiness {
        let Self { config, namespaces } = self.clone();
        Arc::new(move || {
            if config.load().needs_namespaces() && !namespaces.are_known() {
                return Err("the namespaces are not known yet");
            }
            others()
        })
    }
}

/// Looks after the configuration.
pub(super) struct Keeper {
    operator: OperatorArgs,
    in_force: InForce,
    metrics: Arc<Metrics>,
    watching: Watching,
    /// What the last look found, good or bad, so that each is told once.
    seen: Option<Found>,
    /// A good one that waits for the namespaces to be known.
    waiting: Option<Config>,
}

/// The file's text, or why there is none.
type Found = Result<String, String>;

impl Keeper {
    pub(super) fn new(
        operator: OperatorArgs,
        in_force: InForce,
        metrics: Arc<Metrics>,
        watching: Watching,
    ) -> Self {
        Self { operator, in_force, metrics, watching, seen: None, waiting: None }
    }

    /// Looks at once and then again and again, for ever.
    pub(super) async fn keep_fresh(mut self) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let namespaces = self.in_force.namespaces.clone();
        loop {
            tokio::select! {
                _ = ticks.tick() => self.look(),
                () = namespaces.known(), if self.waiting.is_some() => {}
            }
            self.take();
        }
    }

    /// Reads the file, and notes what is new and good.
    fn look(&mut self) {
        let found = match &self.operator.config {
            Some(file) => {
                fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
            }
            None => Ok(String::new()),
        };
        if self.seen.as_ref() == Some(&found) {
            return;
        }
        let read = found.clone().and_then(|text| {
            operator::parse(&self.operator, &text).map_err(|error| format!("{error:#}"))
        });
        self.seen = Some(found);
        self.waiting = None;
        match read {
            Ok(config) => self.prepare(config),
            Err(error) => {
                self.metrics.config_refused();
                tracing::error!(%error, "the configuration cannot be used; the last good one stays in force");
            }
        }
    }

    fn prepare(&mut self, config: Config) {
        self.metrics.config_outdated();
        if config.needs_namespaces() {
            self.watching.start(&self.in_force.namespaces, &self.metrics);
        }
        self.waiting = Some(config);
    }

    /// Puts into force what waits, once what it needs is known.
    fn take(&mut self) {
        let namespaces = &self.in_force.namespaces;
        let is_due = |config: &mut Config| !config.needs_namespaces() || namespaces.are_known();
        let Some(config) = self.waiting.take_if(is_due) else { return };
        let needs_namespaces = config.needs_namespaces();
        self.in_force.config.store(Arc::new(config));
        if !needs_namespaces {
            self.watching.stop(namespaces);
        }
        self.metrics.config_taken(SystemTime::now());
        tracing::info!("the configuration is in force");
    }
}

#[cfg(test)]
mod tests;
