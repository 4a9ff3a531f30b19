//! Who answers: a quota, and what was asked in each second.

use std::time::Duration;

/// A service, or a node's own agent.
#[derive(Debug)]
pub(crate) struct Service {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
    asked: Vec<u32>,
    answered: Vec<u32>,
}

impl Service {
    /// A service that answers `rate` calls a second, and at most `burst` at once.
    pub(crate) fn new(rate: f64, burst: f64) -> Self {
        Self {
            rate,
            burst,
            tokens: burst,
            at: Duration::ZERO,
            asked: Vec::new(),
            answered: Vec::new(),
        }
    }

    /// Whether a call at `now`, which is never before the last one, is answered; else it is throttled.
    pub(crate) fn ask(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = passed.mul_add(self.rate, self.tokens).min(self.burst);
        self.at = now;
        count(&mut self.asked, now);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        count(&mut self.answered, now);
        true
    }

    /// The most calls in any second from `from` until `to`.
    pub(crate) fn peak(&self, from: Duration, to: Duration) -> u32 {
        part(&self.asked, from, to).iter().copied().max().unwrap_or_default()
    }

    /// How many calls were answered from `from` until `to`.
    pub(crate) fn answered(&self, from: Duration, to: Duration) -> u64 {
        sum(part(&self.answered, from, to))
    }

    /// How many calls were throttled from `from` until `to`.
    pub(crate) fn throttled(&self, from: Duration, to: Duration) -> u64 {
        sum(part(&self.asked, from, to)) - self.answered(from, to)
    }
}

fn second(time: Duration) -> usize {
    usize::try_from(time.as_secs()).unwrap_or(usize::MAX)
}

fn count(seconds: &mut Vec<u32>, now: Duration) {
    let second = second(now);
    if seconds.len() <= second {
        seconds.resize(second + 1, 0);
    }
    seconds[second] += 1;
}

fn part(seconds: &[u32], from: Duration, to: Duration) -> &[u32] {
    let end = second(to).min(seconds.len());
    &seconds[second(from).min(end)..end]
}

fn sum(seconds: &[u32]) -> u64 {
    seconds.iter().copied().map(u64::from).sum()
}
