//! How many of each were found, for Prometheus.
//!
//! PURE. The names of namespaces and pods are not labels: there is no end to them.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use super::{
    report::Report,
    survey::{FindingKind, Pods},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Findings {
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Seen {
    state: &'static str,
}

/// The report's numbers as Prometheus' text; a kind of which there is none is nought.
pub(crate) fn render(report: &Report) -> String {
    let mut registry = Registry::with_prefix("mayfly_audit");
    let (pods, findings) = (Family::<Seen, Gauge>::default(), Family::<Findings, Gauge>::default());
    registry.register("pods", "Pods that have not ended", pods.clone());
    registry.register("findings", "What somebody should look at", findings.clone());
    let Pods { live, asking, with_agent } = report.pods;
    for (state, count) in [("live", live), ("asking", asking), ("with-agent", with_agent)] {
        pods.get_or_create(&Seen { state }).set(number(count));
    }
    for kind in FindingKind::ALL {
        let count = report.findings.iter().filter(|finding| finding.kind == kind).count();
        let kind = kind.name().replace(' ', "-");
        findings.get_or_create(&Findings { kind }).set(number(count));
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    let _infallible = encode(&mut text, &registry);
    text
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
