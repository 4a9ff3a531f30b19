//! Logs: one JSON object a line, on standard error.
//!
//! EDGE.

use tracing::Level;

/// Sets up the process' log. Our own lines only: what a dependency would tell is not ours to vouch
/// for.
pub fn start() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(Level::INFO)
        .with_writer(std::io::stderr)
        .init();
}
