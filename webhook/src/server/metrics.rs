//! What is counted, and how it is written for Prometheus.
//!
//! Labels come from short fixed lists: nothing that a client sends becomes one.

mod configuration;
mod identity;

use std::time::{Duration, SystemTime};

use mayfly_certs::event::Event;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use configuration::ConfigurationMetrics;
use identity::IdentityMetrics;
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
    handshakes: Counter,
    panics: Counter,
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
            handshakes: Counter::default(),
            panics: Counter::default(),
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
            "Connections that gave way to newer ones",
            evictions,
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

    pub(super) fn connected(&self, crowded: bool) {
        self.connections.inc();
        self.evictions.inc_by(crowded.into());
    }

    pub(super) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(super) fn handshake_refused(&self) {
        self.handshakes.inc();
    }

    pub(super) fn panicked(&self) {
        self.panics.inc();
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
