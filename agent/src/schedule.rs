//! When to look next: pure arithmetic over what came of the last look.
//!
//! Everything is asked for once an interval, in rounds. What failed is tried again sooner, each by
//! itself, with jitter, later and later, and never more often than a budget allows: so an outage's
//! end is seen within one interval, a thousand agents do not come back at once, and nobody waits
//! for another's misfortune.

use std::time::Duration;

use crate::fault::{Class, Fault};

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
/// Retries that may be saved up; each good answer earns one.
const BUDGET: u32 = 10;

/// Where in an agent's life something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// There is no generation yet.
    NotStarted,
    /// The last good generation is still there.
    Kept,
}

/// The rounds, in each of which everything is asked for once.
#[derive(Debug)]
pub struct Rounds {
    interval: Duration,
    begun_before: bool,
}

impl Rounds {
    /// A round every `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval, begun_before: false }
    }

    /// How long after the round that begins now the next one does; `jitter` is from 0 to 1. The
    /// first wait is some part of the interval, so that pods that started together do not look
    /// together ever after.
    pub fn begin(&mut self, jitter: f64) -> Duration {
        if std::mem::replace(&mut self.begun_before, true) {
            self.interval
        } else {
            spread(self.interval, jitter)
        }
    }
}

/// The waiting of one secret, or of the volume, after a failure.
#[derive(Debug)]
pub struct Retry {
    interval: Duration,
    failures: u32,
    budget: u32,
}

impl Retry {
    /// Retries between rounds that are `interval` apart.
    pub fn new(interval: Duration) -> Self {
        Self { interval, failures: 0, budget: BUDGET }
    }

    /// Takes note of success.
    pub fn good(&mut self) {
        self.failures = 0;
        self.budget = BUDGET.min(self.budget + 1);
    }

    /// How long to wait after `fault`; `None` leaves it to the next round. `jitter` is from 0 to 1.
    pub fn after(&mut self, fault: &Fault, stage: Stage, jitter: f64) -> Option<Duration> {
        match stage {
            Stage::NotStarted => Some(self.before_start(fault, jitter)),
            Stage::Kept => self.after_start(fault, jitter),
        }
    }

    fn before_start(&mut self, fault: &Fault, jitter: f64) -> Duration {
        let [first, longest] = match fault.class {
            Class::Throttled => THROTTLED_AT_START,
            _ if fault.is_transient() => [FIRST_RETRY_AT_START, LONGEST_AT_START],
            _ => [FIRST_RETRY, LONGEST_UNTIL_FIXED],
        };
        self.backoff(first, longest, jitter)
    }

    /// What somebody has to fix first is looked at once an interval, as is anything else once the
    /// budget is spent.
    fn after_start(&mut self, fault: &Fault, jitter: f64) -> Option<Duration> {
        let soon = fault.is_transient() || fault.class == Class::Volume;
        if soon && self.budget > 0 {
            self.budget -= 1;
            return Some(self.backoff(FIRST_RETRY, self.interval, jitter));
        }
        self.failures = self.failures.saturating_add(1);
        None
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

    fn wait(retry: &mut Retry, class: Class, stage: Stage) -> Option<Duration> {
        retry.after(&Fault::new(class, "told to fail"), stage, 1.0)
    }

    fn seconds(retry: &mut Retry, class: Class, stage: Stage, count: usize) -> Vec<Option<u64>> {
        (0..count).map(|_| wait(retry, class, stage).map(|wait| wait.as_secs())).collect()
    }

    #[test]
    fn rounds_are_an_interval_apart_from_the_second_on() {
        let mut rounds = Rounds::new(INTERVAL);
        assert_eq!(rounds.begin(0.0), INTERVAL / 2);
        assert_eq!([rounds.begin(0.0), rounds.begin(1.0)], [INTERVAL; 2]);
    }

    #[test]
    fn retries_come_later_and_later_until_the_budget_is_spent() {
        let mut retry = Retry::new(INTERVAL);
        let waits = seconds(&mut retry, Class::Unreachable, Stage::Kept, 12);
        let mut expected: Vec<_> = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map(Some).into();
        expected.extend([None, None]);
        assert_eq!(waits, expected);
        retry.good();
        assert_eq!(seconds(&mut retry, Class::Unreachable, Stage::Kept, 2), [Some(1), None]);
    }

    #[test]
    fn what_somebody_has_to_fix_waits_for_the_next_round() {
        let mut retry = Retry::new(INTERVAL);
        assert_eq!(seconds(&mut retry, Class::Refused, Stage::Kept, 2), [None, None]);
        let passing = Fault::new(Class::Refused, "in a moment").that_passes();
        assert!(retry.after(&passing, Stage::Kept, 0.0).is_some());
        let waits = seconds(&mut Retry::new(INTERVAL), Class::Missing, Stage::NotStarted, 7);
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30].map(Some));
    }

    #[test]
    fn a_start_is_tried_often() {
        let mut retry = Retry::new(INTERVAL);
        let waits = (0..6).map(|_| wait(&mut retry, Class::Unreachable, Stage::NotStarted));
        let waits: Vec<u128> = waits.flatten().map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000]);
    }

    #[test]
    fn a_throttled_start_is_tried_less_often() {
        let waits = seconds(&mut Retry::new(INTERVAL), Class::Throttled, Stage::NotStarted, 5);
        assert_eq!(waits, [2, 4, 8, 8, 8].map(Some));
    }

    #[test]
    fn a_thousand_agents_are_spread_over_half_an_interval() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut seconds = [0_u32; 300];
        for _ in 0..1000 {
            let first = Rounds::new(INTERVAL).begin(random.f64());
            seconds[usize::try_from(first.as_secs()).expect("small")] += 1;
        }
        assert!(seconds.iter().max() < Some(&25), "{seconds:?}");
    }
}
