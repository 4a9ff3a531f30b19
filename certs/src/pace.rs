//! How long to wait before the next attempt: twice as long each time, up to a bound, never twice the same.
//!
//! PURE: chance is an argument.

use std::time::Duration;

/// A number from 0 to 1, another each time.
pub type Jitter = fn() -> f64;

/// From the first wait to the longest.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Pace {
    /// The wait before attempt `attempt`, counted from 0: between a half and the whole of its step.
    pub fn wait(&self, attempt: u32, jitter: Jitter) -> Duration {
        let step = self.first.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
        step.min(self.longest).mul_f64(0.5 + 0.5 * jitter().clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { first: Duration::from_secs(1), longest: Duration::from_secs(30) };

    #[test]
    fn each_wait_is_twice_the_last_up_to_the_longest() {
        let waits = [0, 1, 2, 3, 4, 5, 31, 32, u32::MAX].map(|attempt| PACE.wait(attempt, || 1.0));
        assert_eq!(waits.map(|wait| wait.as_secs()), [1, 2, 4, 8, 16, 30, 30, 30, 30]);
    }

    #[test]
    fn chance_takes_away_no_more_than_half() {
        assert_eq!(PACE.wait(2, || 0.0), Duration::from_secs(2));
        assert_eq!(PACE.wait(2, || 7.0), Duration::from_secs(4));
    }
}
