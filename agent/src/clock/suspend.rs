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

/// What is known of the machine's sleep.
#[derive(Debug)]
pub struct Slumber<F> {
    asleep: F,
    known: Duration,
}

impl<F: Fn() -> Duration> Slumber<F> {
    /// Counts from now on. `asleep` tells how long the machine has slept in all, as [`asleep`] does.
    pub fn new(asleep: F) -> Self {
        let known = asleep();
        Self { asleep, known }
    }

    /// Done within seconds of an awakening, once for each. It may be given up and begun again
    /// without losing one.
    pub async fn awakening(&mut self) {
        loop {
            let slept = (self.asleep)();
            if slept.saturating_sub(self.known) >= NOTABLE {
                self.known = slept;
                return;
            }
            sleep(TICK).await;
        }
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
    async fn an_awakening_is_seen_within_seconds_once_and_nothing_else_is_one() {
        let slept = Cell::new(Duration::from_hours(7));
        let mut slumber = Slumber::new(|| slept.get());
        for _ in 0..100 {
            assert!(poll_immediate(Box::pin(slumber.awakening())).await.is_none());
            advance(TICK).await;
        }
        slept.set(slept.get() + Duration::from_millis(2));
        let mut awakening = Box::pin(slumber.awakening());
        assert!(poll_immediate(&mut awakening).await.is_none(), "the clocks are read one by one");
        slept.set(slept.get() + Duration::from_hours(8));
        let awake = Instant::now();
        awakening.await;
        assert!(awake.elapsed() <= TICK);
        assert!(poll_immediate(Box::pin(slumber.awakening())).await.is_none());
        // Whoever had given up waiting misses nothing.
        slept.set(slept.get() + Duration::from_hours(8));
        assert!(poll_immediate(Box::pin(slumber.awakening())).await.is_some());
    }

    #[test]
    fn this_machine_knows_how_long_it_has_slept() {
        let (before, after) = (asleep(), asleep());
        assert!(after.abs_diff(before) < NOTABLE);
    }
}
