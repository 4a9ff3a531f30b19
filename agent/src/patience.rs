//! How long a pod's first try waits for a network that may itself be waiting for the pod.
//!
//! While a `postStart` hook holds a pod's start, the kubelet publishes no IP of the pod; and some
//! networks let a pod out only when its IP is known. Each then waits for the other, until the first
//! try ends: after that the kubelet publishes the IP, and starts the agent again within a second.
//!
//! PURE: it knows neither sockets nor files nor what time it is.

use std::time::Duration;

/// When it is looked at for the first time: TCP has asked twice by then.
pub const FIRST_LOOK: Duration = Duration::from_millis(2500);
/// A connection that nobody has answered for so long is not answered at all.
const SILENCE: Duration = Duration::from_millis(2400);
/// Later than this the first try is not given up: the pod has been held for long enough.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// What is known of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How long it has lasted.
    pub spent: Duration,
    /// Whether the files are complete.
    pub complete: bool,
    /// How long the oldest connection has waited for an answer; none, if none is being made.
    pub waiting: Option<Duration>,
    /// Whether a connection was refused, or broke: then somebody does answer.
    pub failed: bool,
}

/// What becomes of a first try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It ends now.
    End,
    /// It has the whole deadline.
    GoOn,
    /// It is too early to say.
    Undecided,
}

/// Judges a first try: it ends if, and only if, what keeps it is a connection that nobody answers.
pub fn verdict(seen: &Seen) -> Verdict {
    let is_over = seen.complete || seen.failed || seen.spent > LAST_LOOK;
    match seen.waiting {
        _ if is_over => Verdict::GoOn,
        Some(waiting) if waiting >= SILENCE => Verdict::End,
        _ => Verdict::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENT: Seen =
        Seen { spent: FIRST_LOOK, complete: false, waiting: Some(SILENCE), failed: false };

    #[test]
    fn a_connection_that_nobody_answers_ends_the_first_try() {
        assert_eq!(verdict(&SILENT), Verdict::End);
        assert_eq!(verdict(&Seen { spent: LAST_LOOK, ..SILENT }), Verdict::End);
    }

    #[test]
    fn nothing_else_ends_it() {
        assert_eq!(verdict(&Seen { complete: true, ..SILENT }), Verdict::GoOn);
        assert_eq!(verdict(&Seen { failed: true, ..SILENT }), Verdict::GoOn);
        assert_eq!(verdict(&Seen { waiting: None, ..SILENT }), Verdict::Undecided);
        let connecting = Some(Duration::from_secs(1));
        assert_eq!(verdict(&Seen { waiting: connecting, ..SILENT }), Verdict::Undecided);
    }

    #[test]
    fn a_pod_that_has_waited_for_long_waits_on() {
        let late = LAST_LOOK + Duration::from_millis(1);
        assert_eq!(verdict(&Seen { spent: late, ..SILENT }), Verdict::GoOn);
        assert_eq!(verdict(&Seen { spent: late, waiting: None, ..SILENT }), Verdict::GoOn);
    }
}
