//! The termination message: what `kubectl describe pod` shows of an agent that has ended.
#![expect(clippy::disallowed_methods, reason = "the kubelet reads the message from a file")]

use std::path::Path;

use tracing::warn;

use crate::fault::Fault;

/// Where the kubelet looks unless it is told otherwise.
pub const DEFAULT_PATH: &str = "/dev/termination-log";
/// The kubelet cuts what is longer, in the middle of a character if need be.
const LONGEST: usize = 4096;

/// Writes why the agent ended.
pub fn write(path: &Path, fault: &Fault) {
    if let Err(error) = std::fs::write(path, cut(&fault.message)) {
        warn!(%error, path = %path.display(), "the termination message cannot be written");
    }
}

/// As much of `message` as the kubelet takes.
fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ö".repeat(4000)).len(), 4096);
        assert_eq!(cut(&"€".repeat(4000)).len(), 4095);
    }
}
