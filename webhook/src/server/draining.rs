//! Whether the server is about to stop.
//!
//! From that moment each answer asks the client to close the connection: the API server keeps its connections for
//! long, whatever the endpoints say, and a request must never meet a connection that is being closed under it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Begins once, for everybody who holds a clone.
#[derive(Debug, Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on the server is about to stop.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
