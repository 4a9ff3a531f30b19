//! What is counted elsewhere: the log's lost lines.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::counter::ConstCounter,
};

/// Asks when it is asked.
pub(super) struct LostLines(pub(super) Box<dyn Fn() -> u64 + Send + Sync>);

impl fmt::Debug for LostLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LostLines").finish_non_exhaustive()
    }
}

impl Collector for LostLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let lines = ConstCounter::new((self.0)());
        let help = "Lines of the log that were dropped, because nobody took them";
        let metric =
            encoder.encode_descriptor("log_lines_dropped", help, None, lines.metric_type())?;
        lines.encode(metric)
    }
}
