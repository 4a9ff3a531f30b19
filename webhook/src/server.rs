//! The server: TLS bytes in, TLS bytes out, and the limits between the two.
//!
//! EDGE. Decides nothing about pods: that is [`mayfly_admission::review`]. Listener, shutdown and clock are
//! arguments, so that a test owns port, end and time.

mod admin;
mod body;
mod callers;
mod complaints;
mod connection;
mod draining;
mod lanes;
mod limits;
mod metrics;
mod progress;
mod refusal;
mod router;
mod seats;
mod tls;
mod watched;

use std::{future::Future, io, sync::Arc, time::Duration, time::Instant};

use tokio::{net::TcpListener, runtime::Handle};
use tokio_rustls::TlsAcceptor;

pub use admin::{Admin, Readiness};
pub use callers::{Callers, CallersError};
pub use draining::Draining;
pub use limits::{Lane, Limits, Pace};
pub use metrics::Metrics;
pub use router::Mutation;
pub use tls::{TlsError, config as tls_config};

use connection::{Accepting, Transport};
use lanes::Spots;
use mayfly_admission::review::Review;
use router::Router;
use seats::Seats;

/// What answers a review's bytes: [`mayfly_admission::review::review`] or [`mayfly_admission::review::forecast`] with a configuration
/// in it.
pub type Reviewer = Arc<dyn Fn(&[u8]) -> Review + Send + Sync>;

/// What tells the time between two events.
pub type Clock = fn() -> Instant;

/// How long everybody's bytes may wait for a review that takes long.
const PULSE: Duration = Duration::from_millis(25);

/// Answers admission reviews over TLS at `/mutate` and `/warn`.
pub struct Server {
    accepting: Accepting<Router>,
    serving: Handle,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// A server of `mutation` with the identity and the versions of `tls`, for the runtime that this is called on.
    pub fn new(
        mutation: Mutation,
        tls: Arc<rustls::ServerConfig>,
        limits: Limits,
    ) -> io::Result<Self> {
        let (metrics, clock) = (Arc::clone(&mutation.metrics), mutation.clock);
        let transport = Transport::Tls(TlsAcceptor::from(tls), mutation.callers.clone());
        let seats = Seats::new(&limits, clock);
        let answers = Router::new(mutation, &limits, &seats)?;
        let accepting = Accepting { transport, answers, seats, limits, metrics, clock };
        Ok(Self { accepting, serving: Handle::current() })
    }

    /// What keeps it alive, from another runtime.
    pub fn pulse(&self) -> Pulse {
        Pulse { spots: self.accepting.answers.spots(), serving: self.serving.clone() }
    }

    /// Serves until `shutdown`, and then until what was begun is done.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        self.accepting.run(listener, shutdown).await;
    }
}

/// Of a runtime's workers one waits for the sockets of all. If that one has a review that takes long, another has to be
/// woken to take its place, and nobody on that runtime would do it.
#[derive(Debug)]
pub struct Pulse {
    spots: Spots,
    serving: Handle,
}

impl Pulse {
    /// Beats for ever.
    pub async fn beat(self) {
        let mut ticks = tokio::time::interval(PULSE);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if self.spots.are_taken() {
                self.serving.spawn(async {});
            }
        }
    }
}

impl Admin {
    /// Answers `/healthz`, `/readyz` and `/metrics` in plain HTTP until `shutdown`.
    pub async fn run(
        self,
        listener: TcpListener,
        clock: Clock,
        shutdown: impl Future<Output = ()>,
    ) {
        let (metrics, limits) = (self.metrics.clone(), Limits::admin());
        let accepting = Accepting {
            transport: Transport::Plain,
            answers: axum::Router::from(self),
            seats: Seats::new(&limits, clock),
            limits,
            metrics,
            clock,
        };
        accepting.run(listener, shutdown).await;
    }
}
