//! A bound on connections, at which the one with the least to show gives way, at once.
//!
//! So a crowd of slow connections cannot keep the API server out: each newcomer costs the crowd one of its own, and
//! what is kept between two reviews outlasts whatever has not been answered anything.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    Clock, Limits,
    progress::{Phase, Progress, Rank},
};

/// As many seats as connections may be, for everybody who holds a clone.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    most: usize,
    most_handshakes: usize,
    clock: Clock,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    places: BTreeMap<u64, Arc<Place>>,
}

/// One connection's seat, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    place: Arc<Place>,
    taken: Arc<Mutex<Taken>>,
}

/// What is known of the connection on a seat.
#[derive(Debug)]
pub(super) struct Place {
    progress: Mutex<Progress>,
    left: CancellationToken,
    clock: Clock,
}

/// What became of a newcomer.
#[derive(Debug)]
pub(super) enum Arrival {
    /// There was a seat.
    Seated(Seat),
    /// Somebody has left one.
    Crowded(Seat),
    /// Everybody else is being answered at the moment.
    Full,
}

impl Seats {
    pub(super) fn new(limits: &Limits, clock: Clock) -> Self {
        let (most, most_handshakes) = (limits.connections, limits.handshakes);
        Self { most, most_handshakes, clock, taken: Arc::default() }
    }

    /// A seat; when none is free, that of whoever has the least to show.
    pub(super) fn take(&self) -> Arrival {
        let mut taken = lock(&self.taken);
        if taken.shaking_hands().count() >= self.most_handshakes {
            taken.evict_first(|phase| phase == Phase::Handshake);
        }
        let crowded = taken.places.len() >= self.most;
        if crowded && !taken.evict_first(|phase| phase != Phase::Review) {
            return Arrival::Full;
        }
        let place = Arc::new(Place::new(self.clock));
        let number = taken.next;
        taken.next += 1;
        taken.places.insert(number, Arc::clone(&place));
        let seat = Seat { number, place, taken: Arc::clone(&self.taken) };
        if crowded { Arrival::Crowded(seat) } else { Arrival::Seated(seat) }
    }

    /// Evicts whoever takes too long for something; how many there were.
    pub(super) fn sweep(&self, limits: &Limits) -> u64 {
        let now = (self.clock)();
        let mut taken = lock(&self.taken);
        let before = taken.places.len();
        taken.places.retain(|_, place| {
            let is_overdue = place.progress().is_overdue(limits, now);
            if is_overdue {
                place.left.cancel();
            }
            !is_overdue
        });
        (before - taken.places.len()) as u64
    }

    /// Evicts those who have been sending their bodies for `age` and are not done, until `needed` bytes of a lane will be
    /// free; how many there were.
    pub(super) fn make_room(&self, lane: usize, needed: usize, age: Duration) -> u64 {
        let now = (self.clock)();
        let mut taken = lock(&self.taken);
        let (mut free, mut evicted) = (0, 0);
        while free < needed {
            let Some(length) =
                taken.evict_body(|place| place.progress().body_since(lane, now, age))
            else {
                break;
            };
            free += length;
            evicted += 1;
        }
        evicted
    }
}

impl Taken {
    fn shaking_hands(&self) -> impl Iterator<Item = &Arc<Place>> {
        self.places.values().filter(|place| place.phase() == Phase::Handshake)
    }

    /// Evicts the one of least rank among those whose phase is meant; whether there was one.
    fn evict_first(&mut self, is_meant: impl Fn(Phase) -> bool) -> bool {
        let meant = self.places.iter().filter(|(_, place)| is_meant(place.phase()));
        let first = meant.min_by_key(|(_, place)| place.rank()).map(|(&number, _)| number);
        let place = first.and_then(|number| self.places.remove(&number));
        place.inspect(|place| place.left.cancel()).is_some()
    }

    /// Evicts the one of least rank among those of whose body `length` tells the length.
    fn evict_body(&mut self, length: impl Fn(&Place) -> Option<usize>) -> Option<usize> {
        let bodies = self.places.iter().filter_map(|(&number, place)| {
            length(place).map(|length| (place.rank(), number, length))
        });
        let (_, number, length) = bodies.min()?;
        self.places.remove(&number)?.left.cancel();
        Some(length)
    }
}

impl Place {
    fn new(clock: Clock) -> Self {
        let progress = Mutex::new(Progress::new(clock()));
        Self { progress, left: CancellationToken::new(), clock }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    pub(super) fn phase(&self) -> Phase {
        self.progress().phase()
    }

    fn rank(&self) -> Rank {
        self.progress().rank()
    }

    pub(super) fn enter(&self, phase: Phase) {
        let now = (self.clock)();
        self.progress().enter(phase, now);
    }

    /// A request was answered; whether by a review.
    pub(super) fn answered(&self, is_review: bool) {
        let now = (self.clock)();
        let mut progress = self.progress();
        progress.enter(Phase::Idle, now);
        if is_review {
            progress.answered(now);
        }
    }
}

impl Seat {
    pub(super) fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Returns when the seat must be left.
    pub(super) async fn evicted(&self) {
        self.place.left.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.taken).places.remove(&self.number);
    }
}

/// What is guarded here is never half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
