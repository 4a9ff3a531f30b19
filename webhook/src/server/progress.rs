//! How far one connection has come, when that is too slow, and who gives way first when there are too many.
//!
//! PURE: the time is an argument.

use std::time::{Duration, Instant};

use super::Limits;

/// What a connection is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// TLS is not there yet.
    Handshake,
    /// Nothing was asked, or all that was asked is answered.
    Idle,
    /// A request has begun.
    Header,
    /// The request's body comes: so many bytes in the lane of that number.
    Body(usize, usize),
    /// All of the request is here; what takes time now is not the client's fault.
    Review,
    /// The answer finds no taker.
    Answer,
}

/// One connection's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    phase: Phase,
    since: Instant,
    /// Reviews that were answered.
    answers: u64,
    /// When the last of them was, or the connection began.
    fruitful: Instant,
}

/// Whoever has the least gives way first: no review is under way, few were answered, the last was long ago.
pub(super) type Rank = (bool, u64, Instant);

impl Progress {
    pub(super) fn new(now: Instant) -> Self {
        Self { phase: Phase::Handshake, since: now, answers: 0, fruitful: now }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn enter(&mut self, phase: Phase, now: Instant) {
        (self.phase, self.since) = (phase, now);
    }

    /// A review was answered.
    pub(super) fn answered(&mut self, now: Instant) {
        self.answers += 1;
        self.fruitful = now;
    }

    pub(super) fn rank(&self) -> Rank {
        (self.phase == Phase::Review, self.answers, self.fruitful)
    }

    /// Whether the phase takes longer than it may.
    pub(super) fn is_overdue(&self, limits: &Limits, now: Instant) -> bool {
        self.limit(limits).is_some_and(|limit| now.saturating_duration_since(self.since) > limit)
    }

    /// The length of a body that has been coming in that lane for `age`.
    pub(super) fn body_since(&self, lane: usize, now: Instant, age: Duration) -> Option<usize> {
        match self.phase {
            Phase::Body(of, length) if of == lane && length > 0 => {
                (now.saturating_duration_since(self.since) >= age).then_some(length)
            }
            _ => None,
        }
    }

    fn limit(&self, limits: &Limits) -> Option<Duration> {
        match self.phase {
            // These two are timed where they are waited for, so that somebody is told.
            Phase::Handshake | Phase::Body(..) => None,
            Phase::Idle => Some(limits.idle),
            Phase::Header => Some(limits.header),
            Phase::Review => Some(limits.request),
            Phase::Answer => Some(limits.answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test owns the clock")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn whoever_has_least_to_show_gives_way_first() {
        let (start, second) = (start(), Duration::from_secs(1));
        let mut silent = Progress::new(start);
        silent.enter(Phase::Body(0, 100), start + second * 2);
        let newcomer = Progress::new(start + second * 3);
        let (mut kept, mut fresh) = (Progress::new(start), Progress::new(start));
        (0..9).for_each(|_| kept.answered(start + second));
        fresh.answered(start + second * 4);
        let mut busy = Progress::new(start);
        busy.enter(Phase::Review, start);
        let ranks = [silent, newcomer, fresh, kept, busy].map(|progress| progress.rank());
        assert!(ranks.is_sorted_by(|one, next| one < next), "{ranks:?}");
    }

    #[test]
    fn each_phase_has_its_time_and_a_new_one_begins_anew() {
        let (start, limits) = (start(), Limits::default());
        let mut progress = Progress::new(start);
        for (phase, limit) in [
            (Phase::Idle, limits.idle),
            (Phase::Header, limits.header),
            (Phase::Review, limits.request),
            (Phase::Answer, limits.answer),
        ] {
            let begin = start + Duration::from_hours(1);
            progress.enter(phase, begin);
            assert!(!progress.is_overdue(&limits, begin + limit), "{phase:?}");
            let late = begin + limit + Duration::from_millis(1);
            assert!(progress.is_overdue(&limits, late), "{phase:?}");
        }
    }
}
