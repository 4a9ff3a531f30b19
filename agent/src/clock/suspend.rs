//! A machine that was asleep: timers stand still meanwhile, and everything that they were to do is
//! late.
//!
//! The kernel has two clocks that nobody sets: one stands still in a suspend, one does not. The
//! runtime's timers go by the first; how far the two are apart is how long the machine has slept.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};
use tokio::time::sleep;

/// How often is looked whether the machine has slept.
const TICK: Duration = Duration::from_secs(10);
/// Shorter sleeps need no care.
const NOTABLE: Duration = Duration::from_secs(1);

/// Done when the machine has been asleep since this was first polled, within seconds of its
/// awakening. `asleep` tells how long it has slept in all, as [`asleep`] does.
pub async fn resumed(asleep: impl Fn() -> Duration) {
    let before = asleep();
    while asleep().saturating_sub(before) < NOTABLE {
        sleep(TICK).await;
    }
}

/// How long this machine has slept since it was started.
pub fn asleep() -> Duration {
    let at = |clock| duration(clock_gettime(clock));
    at(ClockId::Boottime).saturating_sub(at(ClockId::Monotonic))
}

fn duration(time: Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::poll_immediate;
    use tokio::time::{Instant, advance};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_awakening_is_seen_within_seconds_and_nothing_else_is_one() {
        let slept = Cell::new(Duration::from_hours(7));
        let mut resumed = Box::pin(resumed(|| slept.get()));
        for _ in 0..1000 {
            assert!(poll_immediate(&mut resumed).await.is_none());
            advance(TICK).await;
        }
        slept.set(slept.get() + Duration::from_millis(2));
        assert!(poll_immediate(&mut resumed).await.is_none(), "two clocks are read one by one");
        slept.set(slept.get() + Duration::from_hours(8));
        let awake = Instant::now();
        resumed.await;
        assert!(awake.elapsed() <= TICK);
    }

    #[test]
    fn this_machine_knows_how_long_it_has_slept() {
        let (before, after) = (asleep(), asleep());
        assert!(after.abs_diff(before) < NOTABLE);
    }
}
