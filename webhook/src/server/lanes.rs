//! Where reviews happen: a bounded number at once, and none waits for a larger one.
//!
//! EDGE: threads. An ordinary pod is reviewed on the spot, as long as a worker is left for everybody's bytes; any other
//! is handed over to the few threads of its lane. A review that is begun keeps its turn until it ends, whoever still waits for it.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{Limits, limits, refusal::Refusal};

#[derive(Debug)]
pub(super) struct Lanes {
    on_the_spot: usize,
    /// As many as there are workers, but for one.
    spots: Arc<Semaphore>,
    by_size: Vec<Lane>,
    patience: Duration,
}

#[derive(Debug)]
struct Lane {
    largest: usize,
    /// In bytes.
    bodies: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    threads: Threads,
}

/// The threads that a runtime has for what takes long, and nothing else of it.
#[derive(Debug)]
struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

/// A body's bytes, which others cannot have until this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    _bytes: OwnedSemaphorePermit,
}

impl Lanes {
    /// Those of the runtime that this is called on.
    pub(super) fn new(limits: &Limits) -> io::Result<Self> {
        let workers = Handle::current().metrics().num_workers();
        let by_size = limits.lanes.iter().map(Lane::new).collect::<io::Result<_>>()?;
        Ok(Self {
            on_the_spot: limits.on_the_spot,
            spots: Arc::new(Semaphore::new(workers.saturating_sub(1))),
            by_size,
            patience: limits.turn,
        })
    }

    /// The lane of a body of that length, and what is the most that it may have; an unknown length may be the largest.
    pub(super) fn find(&self, length: Option<u64>) -> Result<(usize, usize), Refusal> {
        let Some(length) = length else {
            let last = self.by_size.len() - 1;
            return Ok((last, self.by_size[last].largest));
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let lane = self.by_size.iter().position(|lane| length <= lane.largest);
        lane.map(|lane| (lane, length)).ok_or(Refusal::TOO_LARGE)
    }

    /// Room for a body, if there is any.
    pub(super) fn try_room(&self, lane: usize, length: usize) -> Option<Room> {
        let bodies = Arc::clone(&self.by_size[lane].bodies);
        bodies.try_acquire_many_owned(permits(length)).ok().map(Room::of)
    }

    /// Room for a body, when others have left it.
    pub(super) async fn room(&self, lane: usize, length: usize) -> Result<Room, Refusal> {
        let bodies = Arc::clone(&self.by_size[lane].bodies);
        let room = timeout(self.patience, bodies.acquire_many_owned(permits(length))).await;
        // The semaphore is never closed.
        room.ok().and_then(Result::ok).map(Room::of).ok_or(Refusal::BUSY)
    }

    /// Does `work` for a body of that length, as soon as it is its turn.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        lane: usize,
        length: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if length <= self.on_the_spot
            && let Ok(_spot) = self.spots.try_acquire()
        {
            return catch_unwind(AssertUnwindSafe(work)).map_err(|_| Refusal::PANIC);
        }
        self.by_size[lane].hand_over(self.patience, work).await
    }

    /// Whether reviews are under way on the spot.
    pub(super) fn spots(&self) -> Spots {
        Spots { all: self.spots.available_permits(), free: Arc::clone(&self.spots) }
    }
}

/// The workers that reviews may take.
#[derive(Debug)]
pub(super) struct Spots {
    all: usize,
    free: Arc<Semaphore>,
}

impl Spots {
    /// Whether a review is on one of them.
    pub(super) fn are_taken(&self) -> bool {
        self.free.available_permits() < self.all
    }
}

impl Room {
    fn of(bytes: OwnedSemaphorePermit) -> Self {
        Self { _bytes: bytes }
    }
}

/// Lanes are far smaller than what does not fit.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl Lane {
    fn new(limits: &limits::Lane) -> io::Result<Self> {
        Ok(Self {
            largest: limits.largest,
            bodies: Arc::new(Semaphore::new(limits.bodies.max(limits.largest))),
            turns: Arc::new(Semaphore::new(limits.threads)),
            threads: Threads::new(limits.threads)?,
        })
    }

    async fn hand_over<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = timeout(patience, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| Refusal::BUSY)?;
        let task = self.threads.handle.spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        task.await.map_err(|_| Refusal::PANIC)
    }
}

impl Threads {
    fn new(most: usize) -> io::Result<Self> {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(most.max(1)).thread_name("review").build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Nobody waits any more for what goes on.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests;
