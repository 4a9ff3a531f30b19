//! What time it is for AWS, as far as its refusals have told.
//!
//! AWS takes no signature that is minutes off, and a node whose clock is wrong would read no secret
//! at all. The SDK's clients sign by what the last answer said, so the first refusal needs only to
//! be asked again; but when credentials end is for us to know.

use std::{
    cell::Cell,
    fmt,
    rc::Rc,
    time::{Duration, SystemTime},
};

use crate::clock::Clock as Local;

/// What is less off than this is not the reason for a refusal.
const NOTABLE: u64 = 60;

/// This machine's clock, and how many seconds AWS's is ahead of it.
#[derive(Clone)]
pub(super) struct Clock {
    local: Rc<dyn Local>,
    ahead: Rc<Cell<i64>>,
}

impl Clock {
    pub(super) fn new(local: Rc<dyn Local>) -> Self {
        Self { local, ahead: Rc::default() }
    }

    /// Sets itself by AWS's clock; whether this machine's is notably off.
    pub(super) fn set_by(&self, theirs: SystemTime) -> bool {
        self.ahead.set(seconds(theirs) - seconds(self.local.now()));
        self.ahead.get().unsigned_abs() > NOTABLE
    }

    /// The time.
    pub(super) fn now(&self) -> SystemTime {
        let by = Duration::from_secs(self.ahead.get().unsigned_abs());
        let now = self.local.now();
        let set = if self.ahead.get() < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        set.unwrap_or(now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("ahead", &self.ahead).finish_non_exhaustive()
    }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use tokio::time::Instant;

    use super::*;

    /// A clock that goes with virtual time.
    pub(in crate::source::aws) struct Virtual(SystemTime, Instant);

    impl Virtual {
        pub(in crate::source::aws) fn new() -> Self {
            Self(SystemTime::UNIX_EPOCH + Duration::from_hours(1_000_000 / 2), Instant::now())
        }
    }

    impl Local for Virtual {
        fn now(&self) -> SystemTime {
            self.0 + self.1.elapsed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_in_both_directions_and_says_whether_it_had_to() {
        let local = Rc::new(Virtual::new());
        let clock = Clock::new(local.clone());
        let hour = Duration::from_hours(1);
        for theirs in [local.now() + hour, local.now() - hour] {
            assert!(clock.set_by(theirs));
            assert_eq!(clock.now(), theirs);
        }
        assert!(!clock.set_by(local.now()), "the clock is not the reason");
    }
}
