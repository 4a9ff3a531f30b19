//! What happens to an identity, for a log and for metrics.
//!
//! PURE.

use std::{error::Error, sync::Arc, time::SystemTime};

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// Another certificate is served from now on.
    Exchanged {
        /// When it ends.
        not_after: SystemTime,
    },
    /// Every API server can have seen our certificate authority, and our own port was reached with it.
    Proven,
    /// Somebody took our certificate authority out of the webhook configuration of that name.
    Removed(String),
    /// We put it back.
    Repaired(String),
    /// This many blocks in the bundles are no certificates, and go with the next write.
    Unreadable(usize),
    /// Something did not work, and is tried again.
    Fault(Box<dyn Error + Send + Sync>),
}

/// Who hears of it.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;
