//! Logs: one JSON object a line, on standard error.
//!
//! EDGE.

use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Whose lines are written.
const OURS: [&str; 2] = ["mayfly_webhook", "mayfly_certs"];

/// Sets up the process' log. Our own lines only: what a dependency would tell is not ours to vouch
/// for.
pub fn start() {
    let ours = Targets::new().with_targets(OURS.map(|name| (name, Level::INFO)));
    let lines = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(Level::INFO)
        .with_writer(std::io::stderr);
    lines.finish().with(ours).init();
}
