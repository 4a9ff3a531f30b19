//! How much of everything, each with its reason.
//!
//! PURE.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The server's limits; [`Limits::default`] is what is shipped.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once: an API server has as many as reviews at the moment, and each costs some tens of KiB.
    pub connections: usize,
    /// Handshakes at once, among the connections.
    pub handshakes: usize,
    /// The time for a TLS handshake: some round trips between a cluster's own machines.
    pub handshake: Duration,
    /// The time that a connection may be idle. The API server's own client closes what was idle for 90 seconds; it
    /// must come first, or a request of its could meet a connection that is being closed under it.
    pub idle: Duration,
    /// The time from a request's first byte to the end of its header.
    pub header: Duration,
    /// How fast a body has to come.
    pub body: Pace,
    /// The time that a review may wait for its turn: the API server waits for 5 seconds, as we are registered.
    pub turn: Duration,
    /// The time from a request's body to its answer: the API server never waits for more than 30 seconds.
    pub request: Duration,
    /// The time that an answer may find no taker.
    pub answer: Duration,
    /// The time that a connection is given to finish its request when the server ends.
    pub ending: Duration,
    /// The pause after the system refused a new connection (no file descriptor is left).
    pub accept_pause: Duration,
    /// What is reviewed on the spot, in bytes: an ordinary pod. To hand a review over to another thread and back costs
    /// as much as the review; what is so small costs little even when it costs the square of its size.
    pub on_the_spot: usize,
    /// Where the others are reviewed, the smallest first. The last one's largest is the largest body.
    pub lanes: [Lane; 3],
}

/// A body has a grace, and must then have come at no less than this rate from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The time in which nothing has to come.
    pub grace: Duration,
    /// Bytes a second.
    pub rate: u32,
}

/// The bodies of some size: those of one lane never wait for those of another.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    /// The largest body, in bytes.
    pub largest: usize,
    /// All bodies together that are being received, wait, or are reviewed, in bytes.
    pub bodies: usize,
    /// Reviews at once.
    pub threads: usize,
}

/// An object as the API server takes it, and the envelope: of an update, etcd lets neither of the two objects be larger
/// than half of that. A review takes up to twelve times the size of its body, so there is one at a time of the largest.
const LANES: [Lane; 3] = [
    Lane { largest: 64 * KIB, bodies: 2 * MIB, threads: 6 },
    Lane { largest: 512 * KIB, bodies: MIB, threads: 1 },
    Lane { largest: 3 * MIB + 256 * KIB, bodies: 6 * MIB + 512 * KIB, threads: 1 },
];

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            handshakes: 128,
            handshake: Duration::from_secs(5),
            idle: Duration::from_secs(100),
            header: Duration::from_secs(2),
            body: Pace { grace: Duration::from_secs(1), rate: 1 << 20 },
            turn: Duration::from_secs(3),
            request: Duration::from_secs(30),
            answer: Duration::from_secs(5),
            ending: Duration::from_secs(10),
            accept_pause: Duration::from_millis(100),
            on_the_spot: 16 * KIB,
            lanes: LANES,
        }
    }
}

impl Limits {
    /// The admin port's: a probe and a scraper.
    pub(super) fn admin() -> Self {
        Self { connections: 64, handshakes: 64, ..Self::default() }
    }
}

impl Pace {
    /// The time that `received` bytes may have taken.
    pub(super) fn allows(&self, received: usize) -> Duration {
        let bytes = u32::try_from(received).unwrap_or(u32::MAX);
        self.grace + Duration::from_secs_f64(f64::from(bytes) / f64::from(self.rate.max(1)))
    }
}
