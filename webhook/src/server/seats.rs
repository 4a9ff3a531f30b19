//! A bound on connections, at which the oldest gives way.
//!
//! So a crowd of idle connections cannot keep the API server out: each newcomer costs the crowd one
//! of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// As many seats as connections may be.
#[derive(Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    tokens: BTreeMap<u64, CancellationToken>,
}

/// One connection's seat, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    evicted: CancellationToken,
    taken: Arc<Mutex<Taken>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Seats {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), taken: Arc::default() }
    }

    /// A seat; when none is free, the oldest's, as soon as it is left.
    pub(super) async fn take(&self) -> (Seat, bool) {
        let free = Arc::clone(&self.free).try_acquire_owned();
        let crowded = free.is_err();
        let permit = if let Ok(permit) = free {
            Some(permit)
        } else {
            self.evict_oldest();
            // The semaphore is never closed.
            Arc::clone(&self.free).acquire_owned().await.ok()
        };
        (self.seat(permit), crowded)
    }

    fn seat(&self, permit: Option<OwnedSemaphorePermit>) -> Seat {
        let evicted = CancellationToken::new();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let number = taken.next;
        taken.next += 1;
        taken.tokens.insert(number, evicted.clone());
        Seat { number, evicted, taken: Arc::clone(&self.taken), _permit: permit }
    }

    fn evict_oldest(&self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, oldest)) = taken.tokens.pop_first() {
            oldest.cancel();
        }
    }
}

impl Seat {
    /// Returns when the seat must be left.
    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.tokens.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_gives_way_to_a_newcomer() {
        let seats = Seats::new(2);
        let (oldest, _) = seats.take().await;
        let (second, crowded) = seats.take().await;
        assert!(!crowded);
        let leave = async {
            oldest.evicted().await;
            drop(oldest);
        };
        let ((), (_third, crowded)) = tokio::join!(leave, seats.take());
        assert!(crowded);
        assert!(!second.evicted.is_cancelled());
    }
}
