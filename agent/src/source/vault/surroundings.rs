//! What is not twice the same: the time of day, and chance. An argument, so that everything here
//! runs under a time of its own in tests.

use std::{fmt, rc::Rc, time::SystemTime};

use tokio::time::Instant;

use crate::clock::Clock;

/// A clock, and a number from 0 to 1.
#[derive(Clone)]
pub(in crate::source) struct Surroundings {
    clock: Rc<dyn Clock>,
    jitter: Rc<dyn Fn() -> f64>,
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) time: SystemTime,
}

impl Surroundings {
    pub(in crate::source) fn new(
        clock: impl Clock + 'static,
        jitter: impl Fn() -> f64 + 'static,
    ) -> Self {
        Self { clock: Rc::new(clock), jitter: Rc::new(jitter) }
    }

    /// Now, on both clocks.
    pub(super) fn now(&self) -> Moment {
        Moment { instant: Instant::now(), time: self.clock.now() }
    }

    /// A number from 0 to 1.
    pub(super) fn jitter(&self) -> f64 {
        (self.jitter)()
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings")
    }
}
