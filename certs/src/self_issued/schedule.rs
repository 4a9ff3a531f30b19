//! When the next identity is made, and when it takes the place of the one that is served.
//!
//! PURE: the time and chance are arguments.

use std::time::{Duration, SystemTime};

use crate::certificate::Validity;

/// A certificate is renewed when between these parts of its life have passed.
const RENEWAL: (f64, f64) = (0.4, 0.5);
/// The next one is published for between these parts of what the one that is served has left, before it
/// takes its place: an API server that hears late of it is late by minutes, and the replicas do not
/// switch all at once.
const SWITCH: (f64, f64) = (0.05, 0.2);

/// When the next identity is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Renewal {
    at: SystemTime,
    /// The wait is never longer than this, unless the clock has stepped back.
    longest: Duration,
}

impl Renewal {
    /// For an identity that is made now. `chance` is from 0 to 1.
    pub(super) fn of(lifetime: Duration, now: SystemTime, chance: f64) -> Self {
        let at = now + lifetime.mul_f64(between(RENEWAL, chance));
        Self { at, longest: lifetime.mul_f64(RENEWAL.1) }
    }

    /// How long it is until then: not at all, if the clock has stepped so far that nobody accepts the
    /// `newest` identity now, or that the wait would be longer than it ever is.
    pub(super) fn wait(&self, newest: Validity, now: SystemTime) -> Duration {
        let wait = self.at.duration_since(now).unwrap_or_default();
        let stepped = newest.fault(now).is_some() || wait > self.longest;
        if stepped { Duration::ZERO } else { wait }
    }
}

/// How long an identity is published before it is served in the place of `served`; at least `propagation`,
/// and no longer if little is left or nothing is served. `chance` is from 0 to 1.
pub(super) fn switch(
    served: Option<Validity>,
    now: SystemTime,
    chance: f64,
    propagation: Duration,
) -> Duration {
    let left = served.map_or(Duration::ZERO, |served| served.remaining(now));
    left.mul_f64(between(SWITCH, chance)).max(propagation)
}

fn between((least, most): (f64, f64), chance: f64) -> f64 {
    least + (most - least) * chance.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: SystemTime = SystemTime::UNIX_EPOCH;
    const HOUR: Duration = Duration::from_hours(1);
    const WEEK: Duration = Duration::from_hours(7 * 24);

    fn at(hours: u32) -> SystemTime {
        NOON + HOUR * (hours + 1_000_000)
    }

    fn week() -> Validity {
        Validity { not_before: at(0) - HOUR * 24, not_after: at(0) + WEEK }
    }

    #[test]
    fn a_certificate_is_renewed_before_half_of_it_is_over() {
        let [early, late] = [0.0, 1.0].map(|chance| Renewal::of(WEEK, at(0), chance));
        assert_eq!(early.wait(week(), at(0)), WEEK.mul_f64(0.4));
        assert_eq!(late.wait(week(), at(0)), WEEK / 2);
        assert_eq!(late.wait(week(), at(84)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_steps_is_a_reason_to_renew_when_the_certificate_does_not_fit_any_more() {
        let renewal = Renewal::of(WEEK, at(0), 0.5);
        for (now, is_due) in [
            (at(0), false),
            (at(0) - HOUR * 8, false),
            // Longer than it can be: the certificate would outlive what was asked for.
            (at(0) - HOUR * 10, true),
            (at(0) - HOUR * 25, true),
            (at(169), true),
        ] {
            assert_eq!(renewal.wait(week(), now).is_zero(), is_due, "{now:?}");
        }
        let year = Renewal::of(HOUR * 24 * 365, at(0), 0.0);
        let valid = Validity { not_after: at(24 * 365), ..week() };
        assert!(!year.wait(valid, at(0) - HOUR * 24).is_zero(), "it is valid, and soon enough");
        assert!(year.wait(valid, at(0) - HOUR * 25).is_zero(), "it is not valid yet");
    }

    #[test]
    fn a_switch_takes_its_time_while_there_is_some() {
        let propagation = Duration::from_secs(3);
        let wait = |served, chance| switch(served, at(84), chance, propagation);
        assert_eq!(wait(Some(week()), 0.0), HOUR.mul_f64(4.2));
        assert_eq!(wait(Some(week()), 1.0), HOUR.mul_f64(16.8));
        assert_eq!(wait(None, 1.0), propagation, "nobody is served meanwhile");
        let ends = Validity { not_after: at(84) + Duration::from_secs(10), ..week() };
        assert_eq!(wait(Some(ends), 1.0), propagation, "little is left");
        let early = Validity { not_before: at(85), ..week() };
        assert_eq!(wait(Some(early), 1.0), propagation, "nobody accepts it");
        let over = Validity { not_after: at(83), ..week() };
        assert_eq!(wait(Some(over), 1.0), propagation, "nobody accepts it any more");
    }
}
