//! How long something of Vault's is good, and when it is seen to.
//!
//! PURE: the time and the jitter are arguments. A grant is seen to when about two thirds of it are
//! over, each at a moment of its own, so that a thousand pods which started together do not come
//! back together; a third is left for trying again, and for the app to change over.

use std::time::Duration;

use tokio::time::Instant;

/// The part of a grant after which it is seen to, and how much of it jitter may add.
const PATIENCE: f64 = 0.60;
const SPREAD: f64 = 0.12;

/// The shortest wait before something is tried again that has failed.
const SHORTEST: Duration = Duration::from_secs(1);

/// What is granted for less cannot be replaced in time, and asking at once would only make more of
/// it; nothing is replaced sooner.
pub(super) const FLOOR: Duration = Duration::from_secs(3);
/// So often it is asked for then.
const HOPELESS: Duration = Duration::from_secs(30);

/// A grant beyond this is a number of another unit, or nobody's grant: it is not known.
const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);

/// The time from a grant to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    /// How long the first grant was.
    pub(super) granted: Duration,
    /// When it is seen to.
    pub(super) due: Instant,
    /// When it ends.
    pub(super) end: Instant,
}

impl Life {
    /// The life of what was asked for at `asked` and is good for `granted` from then on; `jitter`
    /// is from 0 to 1. Vault says 0 of what has no end, or none that it knows.
    pub(super) fn new(granted: Duration, asked: Instant, jitter: f64) -> Option<Self> {
        let granted = known(granted)?;
        let part = PATIENCE + SPREAD * jitter.clamp(0.0, 1.0);
        let wait = if granted < FLOOR { HOPELESS } else { granted.mul_f64(part).max(FLOOR) };
        Some(Self { granted, due: asked.checked_add(wait)?, end: asked.checked_add(granted)? })
    }

    /// The life after a renewal that gave `granted`. There is none if that is less than half of
    /// what was given first: then a maximum is near, and only a new grant helps.
    pub(super) fn renewed(self, granted: Duration, asked: Instant, jitter: f64) -> Option<Self> {
        let renewed = Self::new(granted, asked, jitter)?;
        (granted * 2 >= self.granted).then_some(Self { granted: self.granted, ..renewed })
    }

    /// The same life, but not seen to before `other` if it does not end before that: what ends with
    /// its token is taken anew with the next one, and would be twice.
    pub(super) fn no_sooner_than(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if self.end + SHORTEST >= other.end => {
                Self { due: self.due.max(other.due), ..self }
            }
            _ => self,
        }
    }

    /// The same life, seen to soon: what was asked for is under way.
    pub(super) fn resumed(self, now: Instant) -> Self {
        let soon = now + HOPELESS;
        let Self { due, .. } = self.postponed(now);
        Self { due: due.min(soon), ..self }
    }

    /// The same life, seen to after half of what is left, for what has failed now.
    pub(super) fn postponed(self, now: Instant) -> Self {
        let left = self.end.saturating_duration_since(now);
        Self { due: now + (left / 2).max(SHORTEST), ..self }
    }

    /// Whether it is time to see to it.
    pub(super) fn is_due(self, now: Instant) -> bool {
        self.due <= now
    }

    /// Whether it has ended.
    pub(super) fn is_over(self, now: Instant) -> bool {
        self.end <= now
    }
}

/// A grant that can be one: Vault says 0 of what has no end, or none that it knows.
pub(super) fn known(granted: Duration) -> Option<Duration> {
    (!granted.is_zero() && granted <= LONGEST).then_some(granted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_grant_is_seen_to_when_about_two_thirds_are_over() {
        let now = Instant::now();
        let minutes = |jitter| {
            let life = Life::new(HOUR, now, jitter).expect("a life");
            assert_eq!(life.end, now + HOUR);
            (life.due - now).as_secs().div_ceil(60)
        };
        assert_eq!([0.0, 0.5, 1.0].map(minutes), [36, 40, 44]);
        assert_eq!(Life::new(Duration::ZERO, now, 0.5), None);
        assert_eq!(Life::new(Duration::MAX, now, 0.5), None);
    }

    #[test]
    fn a_renewal_that_a_maximum_cuts_short_is_not_worth_having() {
        let now = Instant::now();
        let life = Life::new(HOUR, now, 0.5).expect("a life");
        let renewed = life.renewed(HOUR / 2, now + HOUR / 2, 0.5).expect("another half");
        assert_eq!((renewed.granted, renewed.end), (HOUR, now + HOUR));
        assert_eq!(life.renewed(HOUR * 49 / 100, now, 0.5), None);
        // Short grants do not become shorter and shorter.
        assert_eq!(renewed.renewed(HOUR / 3, now, 0.5), None);
    }

    #[test]
    fn what_ends_at_once_is_not_asked_for_at_once() {
        let now = Instant::now();
        let due = |seconds| {
            Life::new(Duration::from_secs(seconds), now, 0.0).map(|life| (life.due - now).as_secs())
        };
        assert_eq!([1, 2, 3, 4, 10].map(due), [30, 30, 3, 3, 6].map(Some));
    }

    proptest::proptest! {
        #[test]
        fn no_number_is_too_large(seconds: u64, jitter: f64, more: u64) {
            let (now, granted) = (Instant::now(), Duration::from_secs(seconds));
            if let Some(life) = Life::new(granted, now, jitter) {
                proptest::prop_assert!(life.due > now && life.end > now);
                let more = Duration::from_secs(more);
                life.renewed(more, now, jitter);
                life.postponed(now);
                life.resumed(now);
            }
        }
    }

    #[test]
    fn what_ends_with_its_token_is_seen_to_with_it() {
        let now = Instant::now();
        let [early, late] = [0.0, 1.0].map(|jitter| Life::new(HOUR, now, jitter).expect("a life"));
        assert_eq!(early.no_sooner_than(Some(late)).due, late.due);
        assert_eq!(late.no_sooner_than(Some(early)).due, late.due);
        assert_eq!(early.no_sooner_than(None), early);
        let short = Life::new(HOUR / 2, now, 0.0).expect("a life");
        assert_eq!(short.no_sooner_than(Some(late)), short);
    }

    #[test]
    fn what_fails_is_tried_a_few_times_until_the_end() {
        let began = Instant::now();
        let mut life = Life::new(HOUR, began, 0.5).expect("a life");
        let mut tries = 0;
        while !life.is_over(life.due) {
            life = life.postponed(life.due);
            tries += 1;
        }
        assert!((8..16).contains(&tries), "{tries} tries");
    }
}
