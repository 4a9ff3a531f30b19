//! When to look next: pure arithmetic over what came of the last look.
//!
//! A good look is followed by one every interval. A failed one is tried again sooner, with jitter,
//! later and later, never more often than a budget allows, and never later than the interval: so an
//! outage's end is seen within one interval, and a thousand agents do not come back at once.

use std::time::Duration;

use crate::fault::Class;

/// The first retry while nothing is there yet: a pod is waiting.
const FIRST_RETRY_AT_START: Duration = Duration::from_millis(100);
/// The longest wait while nothing is there yet and the start deadline runs.
const LONGEST_AT_START: Duration = Duration::from_secs(2);
/// The first retry at the start after too many calls, and the longest: thousands of pods may have
/// started together, and to ask again at once would only be refused again.
const THROTTLED_AT_START: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];
/// The first retry of a refresh: the files on the volume are good.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait of an agent that goes on trying to start although somebody has to act first.
const LONGEST_UNTIL_FIXED: Duration = Duration::from_secs(30);
/// Retries that may be saved up; each good look earns one.
const BUDGET: u32 = 10;

/// What came of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is there.
    Good,
    /// It failed, and there is no generation yet.
    NotStarted(Class),
    /// It failed, and the last good generation is still there.
    Kept(Class),
}

/// The waiting between looks.
#[derive(Debug)]
pub struct Schedule {
    interval: Duration,
    failures: u32,
    budget: u32,
    good_before: bool,
}

impl Schedule {
    /// A schedule with a look every `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval, failures: 0, budget: BUDGET, good_before: false }
    }

    /// How long after the beginning of the last look, which took `spent`, the next one begins, less
    /// `spent`; `jitter` is from 0 to 1.
    pub fn next(&mut self, outcome: Outcome, spent: Duration, jitter: f64) -> Duration {
        match outcome {
            Outcome::Good => self.after_good(jitter).saturating_sub(spent),
            Outcome::NotStarted(class) => self.before_start(class, jitter),
            Outcome::Kept(class) => self.after_failure(class, jitter),
        }
    }

    /// The first wait is some part of the interval, so that pods that started together do not look
    /// together ever after.
    fn after_good(&mut self, jitter: f64) -> Duration {
        self.failures = 0;
        self.budget = BUDGET.min(self.budget + 1);
        if std::mem::replace(&mut self.good_before, true) {
            self.interval
        } else {
            spread(self.interval, jitter)
        }
    }

    fn before_start(&mut self, class: Class, jitter: f64) -> Duration {
        let [first, longest] = match class {
            Class::Throttled => THROTTLED_AT_START,
            class if class.is_transient() => [FIRST_RETRY_AT_START, LONGEST_AT_START],
            _ => [FIRST_RETRY, LONGEST_UNTIL_FIXED],
        };
        self.backoff(first, longest, jitter)
    }

    /// What somebody has to fix first is looked at once an interval, as is anything else once the
    /// budget is spent.
    fn after_failure(&mut self, class: Class, jitter: f64) -> Duration {
        let soon = class.is_transient() || class == Class::Volume;
        if soon && self.budget > 0 {
            self.budget -= 1;
            self.backoff(FIRST_RETRY, self.interval, jitter)
        } else {
            self.failures = self.failures.saturating_add(1);
            spread(self.interval, jitter)
        }
    }

    fn backoff(&mut self, first: Duration, longest: Duration, jitter: f64) -> Duration {
        let doubled = first.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        spread(doubled.min(longest).min(self.interval), jitter)
    }
}

/// From half of `wait` to the whole.
fn spread(wait: Duration, jitter: f64) -> Duration {
    wait.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_mins(5);
    const NO_TIME: Duration = Duration::ZERO;

    #[test]
    fn good_looks_are_an_interval_apart_from_the_second_on() {
        let mut schedule = Schedule::new(INTERVAL);
        assert_eq!(schedule.next(Outcome::Good, NO_TIME, 0.0), INTERVAL / 2);
        let spent = Duration::from_secs(2);
        assert_eq!(schedule.next(Outcome::Good, spent, 0.0), Duration::from_secs(298));
        assert_eq!(schedule.next(Outcome::Good, INTERVAL * 2, 0.0), NO_TIME);
    }

    #[test]
    fn retries_come_later_and_later_and_never_after_the_interval() {
        let mut schedule = Schedule::new(INTERVAL);
        let wait = |schedule: &mut Schedule| {
            schedule.next(Outcome::Kept(Class::Unreachable), NO_TIME, 1.0).as_secs()
        };
        let waits: Vec<u64> = (0..12).map(|_| wait(&mut schedule)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        schedule.next(Outcome::Good, NO_TIME, 1.0);
        assert_eq!(wait(&mut schedule), 1);
    }

    #[test]
    fn a_backend_that_comes_and_goes_spends_the_budget() {
        let mut schedule = Schedule::new(Duration::from_secs(10));
        for _ in 0..BUDGET * 2 {
            schedule.next(Outcome::Kept(Class::Unreachable), NO_TIME, 0.0);
        }
        schedule.next(Outcome::Good, NO_TIME, 0.0);
        assert_eq!(
            schedule.next(Outcome::Kept(Class::Unreachable), NO_TIME, 0.0),
            Duration::from_millis(500)
        );
        assert_eq!(
            schedule.next(Outcome::Kept(Class::Unreachable), NO_TIME, 0.0),
            Duration::from_secs(5)
        );
    }

    #[test]
    fn what_somebody_has_to_fix_is_not_asked_for_in_a_hurry() {
        let mut schedule = Schedule::new(INTERVAL);
        assert_eq!(schedule.next(Outcome::Kept(Class::Refused), NO_TIME, 1.0), INTERVAL);
        let mut starting = Schedule::new(INTERVAL);
        let waits = (0..7)
            .map(|_| starting.next(Outcome::NotStarted(Class::Missing), NO_TIME, 1.0).as_secs());
        assert_eq!(waits.collect::<Vec<_>>(), [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_start_is_tried_often() {
        let mut schedule = Schedule::new(INTERVAL);
        let waits = (0..6).map(|_| {
            schedule.next(Outcome::NotStarted(Class::Unreachable), NO_TIME, 1.0).as_millis()
        });
        assert_eq!(waits.collect::<Vec<_>>(), [100, 200, 400, 800, 1600, 2000]);
    }

    #[test]
    fn a_throttled_start_is_tried_less_often() {
        let mut schedule = Schedule::new(INTERVAL);
        let waits = (0..5)
            .map(|_| schedule.next(Outcome::NotStarted(Class::Throttled), NO_TIME, 1.0).as_secs());
        assert_eq!(waits.collect::<Vec<_>>(), [2, 4, 8, 8, 8]);
    }

    #[test]
    fn a_thousand_agents_are_spread_over_half_an_interval() {
        let mut random = fastrand::Rng::with_seed(7);
        let first = |random: &mut fastrand::Rng| {
            Schedule::new(INTERVAL).next(Outcome::Good, NO_TIME, random.f64())
        };
        let mut seconds = [0_u32; 300];
        for _ in 0..1000 {
            seconds[usize::try_from(first(&mut random).as_secs()).expect("small")] += 1;
        }
        assert!(seconds.iter().max() < Some(&25), "{seconds:?}");
    }
}
