//! Log lines that a stranger can cause, of which there is one per interval however many there are.
//!
//! PURE: the time is an argument.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The time between two lines.
const INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Complaints(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    kept_back: u64,
}

impl Complaints {
    /// How many were kept back since the last line, when it is time for another.
    pub(super) fn tell(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = state.last.is_none_or(|last| now.saturating_duration_since(last) >= INTERVAL);
        if !due {
            state.kept_back += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test owns the clock")]
    fn a_flood_is_one_line_per_interval() {
        let (complaints, start) = (Complaints::default(), Instant::now());
        assert_eq!(complaints.tell(start), Some(0));
        for second in 1..10 {
            assert_eq!(complaints.tell(start + Duration::from_secs(second)), None);
        }
        assert_eq!(complaints.tell(start + INTERVAL), Some(9));
    }
}
