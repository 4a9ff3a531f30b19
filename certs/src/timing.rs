//! How long everything takes, each with its reason.
//!
//! PURE.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::pace::Pace;

/// What tells the time of day.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The identity's times; [`Timing::default`] is what is shipped.
#[derive(Debug, Clone)]
pub struct Timing {
    /// From the bundle that our own watch has shown to the bundle that every API server uses; the least of it.
    pub propagation: Duration,
    /// The longest time for an answer of the API server; a watch is no answer.
    pub answer: Duration,
    /// How often the configuration is read although the watch is silent, which it also is when its
    /// connection is dead.
    pub reread: Duration,
    /// How often entries of no use are looked for.
    pub sweep: Duration,
    /// How often our own port is tried.
    pub proof: Duration,
    /// How soon it is tried again after a failure.
    pub second_proof: Duration,
    /// How long our certificate may be missing from the bundle, or the handshakes fail, before the
    /// replica is not ready: a repair takes milliseconds, and endpoints are not to flap.
    pub patience: Duration,
    /// A removal that comes sooner than this after a repair is a fight.
    pub calm: Duration,
    /// Between repairs in a fight.
    pub fight: Pace,
    /// Between attempts when another replica was faster.
    pub conflict: Pace,
    /// Between attempts when the API server cannot be reached or refuses.
    pub outage: Pace,
    /// Up to how long a tidying waits, which nobody is waiting for.
    pub tidying: Duration,
    /// About how long what an older release owns in our name is left to it: its replicas go meanwhile, and
    /// would only take it back.
    pub handover: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let (millis, secs) = (Duration::from_millis, Duration::from_secs);
        Self {
            propagation: secs(3),
            answer: secs(5),
            reread: secs(10),
            sweep: secs(60),
            proof: secs(10),
            second_proof: secs(1),
            patience: secs(5),
            calm: secs(5),
            fight: Pace { first: millis(200), longest: secs(60) },
            conflict: Pace { first: millis(20), longest: secs(1) },
            outage: Pace { first: millis(500), longest: secs(15) },
            tidying: secs(2),
            handover: secs(60),
        }
    }
}
