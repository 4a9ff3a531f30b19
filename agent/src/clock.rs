//! The time of day, as an argument.
#![expect(clippy::disallowed_methods, reason = "this is the clock")]

pub mod suspend;

use std::time::SystemTime;

/// Something that knows what time it is.
pub trait Clock {
    /// Now.
    fn now(&self) -> SystemTime;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
