//! How much of everything, each with its reason.
//!
//! PURE.

use std::time::Duration;

/// The server's limits; [`Limits::default`] is what is shipped.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest body. Two objects of at most 3 MiB each, as etcd takes them, and the envelope.
    pub body: usize,
    /// The time for a TLS handshake: some round trips between a cluster's own machines.
    pub handshake: Duration,
    /// The time for a request's header, and so the time that a connection may be idle. The API server's
    /// own client closes what was idle for 90 seconds; it must come first, or a request of its could
    /// meet a connection that is being closed under it.
    pub header: Duration,
    /// The time from a request's header to its answer: the API server waits for 30 seconds at most,
    /// and for 5 as we are registered.
    pub request: Duration,
    /// Connections at once. An API server needs a handful; at the limit, the oldest gives way.
    pub connections: usize,
    /// The time that a connection which must end is given to finish its request.
    pub ending: Duration,
    /// The pause after the system refused a new connection (no file descriptor is left).
    pub accept_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 7 * 1024 * 1024,
            handshake: Duration::from_secs(5),
            header: Duration::from_secs(100),
            request: Duration::from_secs(10),
            connections: 1024,
            ending: Duration::from_secs(1),
            accept_pause: Duration::from_millis(100),
        }
    }
}

impl Limits {
    /// The admin port's: a probe and a scraper.
    pub(super) fn admin() -> Self {
        Self { body: 0, connections: 64, ..Self::default() }
    }
}
