//! Points in time that a secret's state is told.

use std::time::SystemTime;

use tokio::time::Instant;

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// On the machine's own.
    pub instant: Instant,
    /// The time of day.
    pub time: SystemTime,
}

/// The round that is under way, and when the next one begins.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// When this one began.
    pub began: Instant,
    /// When the next one does.
    pub next: Instant,
}
