//! Whether what the operator wrote is in force, and what its policy found.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

use mayfly_admission::policy::Judgement;

/// The configuration's metrics.
#[derive(Debug, Default)]
pub(super) struct ConfigurationMetrics {
    valid: Gauge,
    loaded: Gauge<f64, AtomicU64>,
    faults: Counter,
    namespace_faults: Counter,
    violations: Family<ViolationLabels, Counter>,
}

/// Both bounded: rules' names are the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ViolationLabels {
    rule: String,
    verdict: &'static str,
}

impl ConfigurationMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let valid = self.valid.clone();
        registry.register(
            "config_valid",
            "Whether what the configuration file says is in force (1), or an earlier one (0)",
            valid,
        );
        registry.register(
            "config_loaded_timestamp_seconds",
            "When the configuration in force was taken from the file",
            self.loaded.clone(),
        );
        registry.register(
            "config_faults",
            "Contents of the configuration file that could not be used",
            self.faults.clone(),
        );
        registry.register(
            "namespace_watch_faults",
            "Failures of the watch of namespaces",
            self.namespace_faults.clone(),
        );
        registry.register(
            "policy_violations",
            "What pods asked for against the policy, by rule and by what became of it",
            self.violations.clone(),
        );
    }

    pub(super) fn taken(&self, now: SystemTime) {
        self.valid.set(1);
        self.loaded.set(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
    }

    pub(super) fn outdated(&self) {
        self.valid.set(0);
    }

    pub(super) fn refused(&self) {
        self.outdated();
        self.faults.inc();
    }

    pub(super) fn namespaces_failed(&self) {
        self.namespace_faults.inc();
    }

    pub(super) fn judged(&self, judgement: &Judgement) {
        let count = judgement.violations.len() as u64;
        if count > 0 {
            let (rule, verdict) = (judgement.rule_name().to_owned(), judgement.verdict());
            self.violations.get_or_create(&ViolationLabels { rule, verdict }).inc_by(count);
        }
    }
}
