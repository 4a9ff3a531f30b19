//! What is counted, and how it is written for Prometheus.
//!
//! Labels come from short fixed lists: nothing that a client sends becomes one.

mod configuration;
mod identity;
mod log;

use std::time::{Duration, SystemTime};

use mayfly_certs::event::Event;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::refusal::Refusal;
use configuration::ConfigurationMetrics;
use identity::IdentityMetrics;
use log::LostLines;
use mayfly_admission::{policy::Judgement, review::Review};

/// A review takes tens of microseconds; a thousand containers take some milliseconds.
const BUCKETS: [f64; 12] =
    [0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0];

/// The webhook's metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: Family<DecisionLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    connections: Gauge,
    evictions: Counter,
    overdue: Counter,
    handshakes: Counter,
    refusals: Family<RefusalLabels, Counter>,
    panics: Counter,
    client_ca_faults: Counter,
    identity: IdentityMetrics,
    configuration: ConfigurationMetrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    decision: &'static str,
    mode: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    decision: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("mayfly_webhook"),
            decisions: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            connections: Gauge::default(),
            evictions: Counter::default(),
            overdue: Counter::default(),
            handshakes: Counter::default(),
            refusals: Family::default(),
            panics: Counter::default(),
            client_ca_faults: Counter::default(),
            identity: IdentityMetrics::default(),
            configuration: ConfigurationMetrics::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "reviews",
            "Admission reviews by what was decided",
            self.decisions.clone(),
        );
        let durations = self.durations.clone();
        registry.register(
            "review_duration_seconds",
            "Time from a review's bytes to its answer's",
            durations,
        );
        registry.register("connections", "Open connections", self.connections.clone());
        let evictions = self.evictions.clone();
        registry.register(
            "connections_evicted",
            "Connections that were closed because there were too many",
            evictions,
        );
        registry.register(
            "connections_overdue",
            "Connections that were closed because they took too long for something",
            self.overdue.clone(),
        );
        registry.register(
            "requests_refused",
            "Requests that got no review: 401 no client certificate, 408 too slow, 413 too large, 503 too busy, …",
            self.refusals.clone(),
        );
        registry.register(
            "client_ca_faults",
            "Contents of the client CA files that could not be used",
            self.client_ca_faults.clone(),
        );
        let handshakes = self.handshakes.clone();
        registry.register("handshakes_refused", "TLS handshakes that came to nothing", handshakes);
        registry.register("panics", "Requests that were answered with 500", self.panics.clone());
        self.identity.register(registry);
        self.configuration.register(registry);
    }

    pub(super) fn decided(&self, review: &Review, duration: Duration) {
        let (decision, mode, reason) = (review.decision.name(), review.mode(), review.reason());
        self.decisions.get_or_create(&DecisionLabels { decision, mode, reason }).inc();
        self.durations.get_or_create(&DurationLabels { decision }).observe(duration.as_secs_f64());
    }

    pub(super) fn judged(&self, judgement: &Judgement) {
        self.configuration.judged(judgement);
    }

    /// A configuration is in force since `now`.
    pub fn config_taken(&self, now: SystemTime) {
        self.configuration.taken(now);
    }

    /// What is in force is not what the file says.
    pub fn config_outdated(&self) {
        self.configuration.outdated();
    }

    /// The file's content cannot be used.
    pub fn config_refused(&self) {
        self.configuration.refused();
    }

    /// The namespaces could not be watched.
    pub fn namespaces_failed(&self) {
        self.configuration.namespaces_failed();
    }

    /// The client CA files' content cannot be used.
    pub fn client_ca_refused(&self) {
        self.client_ca_faults.inc();
    }

    /// From now on it is told, too, how many lines of the log were lost: what `lines` says.
    pub fn count_lost_lines(&mut self, lines: impl Fn() -> u64 + Send + Sync + 'static) {
        self.registry.register_collector(Box::new(LostLines(Box::new(lines))));
    }

    pub(super) fn connected(&self) {
        self.connections.inc();
    }

    pub(super) fn evicted(&self, connections: u64) {
        self.evictions.inc_by(connections);
    }

    pub(super) fn swept(&self, connections: u64) {
        self.overdue.inc_by(connections);
    }

    pub(super) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(super) fn handshake_refused(&self) {
        self.handshakes.inc();
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        let status = refusal.status().as_u16();
        self.refusals.get_or_create(&RefusalLabels { status }).inc();
        self.panics.inc_by((refusal == Refusal::PANIC).into());
    }

    /// Counts what happened to the identity at the time `now`.
    pub fn of_identity(&self, event: &Event, now: SystemTime) {
        self.identity.happened(event, now);
    }

    /// Prometheus' text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _infallible = encode(&mut text, &self.registry);
        text
    }
}
