//! What is counted of the identity: enough to be woken before a certificate ends.

use std::time::SystemTime;

use mayfly_certs::event::Event;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

#[derive(Debug, Default)]
pub(super) struct IdentityMetrics {
    not_after: Gauge,
    renewed: Gauge,
    faults: Counter,
    removals: Counter,
    repairs: Counter,
}

impl IdentityMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let not_after = self.not_after.clone();
        registry.register(
            "certificate_not_after_timestamp_seconds",
            "When the certificate that is served ends",
            not_after,
        );
        let renewed = self.renewed.clone();
        registry.register(
            "certificate_renewed_timestamp_seconds",
            "When the certificate was last exchanged",
            renewed,
        );
        let faults = self.faults.clone();
        registry.register(
            "certificate_faults",
            "Attempts to renew, publish or prove the certificate that failed",
            faults,
        );
        let removals = self.removals.clone();
        registry.register(
            "bundle_removals",
            "Times that somebody took us out of the webhook configuration",
            removals,
        );
        let repairs = self.repairs.clone();
        registry.register(
            "bundle_repairs",
            "Times that we put ourselves back into the webhook configuration",
            repairs,
        );
    }

    pub(super) fn happened(&self, event: &Event, now: SystemTime) {
        match event {
            Event::Exchanged { not_after } => {
                self.not_after.set(seconds(*not_after));
                self.renewed.set(seconds(now));
            }
            Event::Removed(_) => {
                self.removals.inc();
            }
            Event::Repaired(_) => {
                self.repairs.inc();
            }
            Event::Fault(_) => {
                self.faults.inc();
            }
            Event::Proven | Event::Unreadable(_) => {}
        }
    }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
