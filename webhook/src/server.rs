//! The server: TLS bytes in, TLS bytes out, and the limits between the two.
//!
//! EDGE. Decides nothing about pods: that is [`mayfly_admission::review`]. Listener, shutdown and clock are
//! arguments, so that a test owns port, end and time.

mod admin;
mod complaints;
mod connection;
mod draining;
mod limits;
mod metrics;
mod router;
mod seats;
mod tls;

use std::{future::Future, sync::Arc, time::Instant};

use axum::Router;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub use admin::{Admin, Readiness};
pub use draining::Draining;
pub use limits::Limits;
pub use metrics::Metrics;
pub use router::Mutation;
pub use tls::{TlsError, config as tls_config};

use connection::{Accepting, Transport};
use mayfly_admission::review::Review;

/// What answers a review's bytes: [`mayfly_admission::review::review`] or [`mayfly_admission::review::forecast`] with a configuration
/// in it.
pub type Reviewer = Arc<dyn Fn(&[u8]) -> Review + Send + Sync>;

/// What tells the time between two events.
pub type Clock = fn() -> Instant;

/// Answers admission reviews over TLS at `/mutate` and `/warn`.
#[derive(Debug)]
pub struct Server {
    /// What is behind the two.
    pub mutation: Mutation,
    /// The identity, and the versions of TLS.
    pub tls: Arc<rustls::ServerConfig>,
    /// How much of everything.
    pub limits: Limits,
}

impl Server {
    /// Serves until `shutdown`, and then until what was begun is done.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let transport = Transport::Tls(TlsAcceptor::from(self.tls));
        let metrics = self.mutation.metrics.clone();
        let clock = self.mutation.clock;
        let accepting = Accepting {
            transport,
            router: router::router(self.mutation, &self.limits),
            limits: self.limits,
            metrics,
            clock,
        };
        accepting.run(listener, shutdown).await;
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
        let metrics = self.metrics.clone();
        let accepting = Accepting {
            transport: Transport::Plain,
            router: Router::from(self),
            limits: Limits::admin(),
            metrics,
            clock,
        };
        accepting.run(listener, shutdown).await;
    }
}
