//! What time it is for AWS, as far as its refusals have told.
//!
//! AWS takes no signature that is minutes off, and a node whose clock is wrong would read no secret
//! at all. The SDK's clients sign by what the last answer said, so the first refusal needs only to
//! be asked again; but when credentials end is for us to know.
#![expect(clippy::disallowed_methods, reason = "this is the clock")]

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, SystemTime},
};

/// What is less off than this is not the reason for a refusal.
const NOTABLE: u64 = 60;

/// This machine's clock, and how many seconds AWS's is ahead of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    ahead: Rc<Cell<i64>>,
}

impl Clock {
    /// Sets itself by AWS's clock; whether this machine's is notably off.
    pub(super) fn set_by(&self, theirs: SystemTime) -> bool {
        self.ahead.set(seconds(theirs) - seconds(SystemTime::now()));
        self.ahead.get().unsigned_abs() > NOTABLE
    }

    /// The time.
    pub(super) fn now(&self) -> SystemTime {
        let by = Duration::from_secs(self.ahead.get().unsigned_abs());
        let now = SystemTime::now();
        let set = if self.ahead.get() < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        set.unwrap_or(now)
    }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_follows_in_both_directions_and_says_whether_it_had_to() {
        let clock = Clock::default();
        let hour = Duration::from_hours(1);
        for theirs in [SystemTime::now() + hour, SystemTime::now() - hour] {
            assert!(clock.set_by(theirs));
            assert!(seconds(clock.now()).abs_diff(seconds(theirs)) <= 2);
        }
        assert!(!clock.set_by(SystemTime::now()), "the clock is not the reason");
    }
}
