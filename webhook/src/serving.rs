//! `mayfly-webhook serve`: the parts put together.
//!
//! EDGE: sockets, signals, clock. Everything that is started here ends here.

#![expect(clippy::disallowed_methods, reason = "the one place where the real clock is handed out")]

mod configuration;
mod identity;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context;
use rustls::crypto::aws_lc_rs;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use configuration::{InForce, Keeper, Watching};

use crate::{
    args::ServeArgs,
    operator,
    server::{Admin, Clock, Draining, Limits, Metrics, Mutation, Server, tls_config},
    telemetry,
};
use mayfly_admission::{
    config::Config,
    review::{forecast, review},
};

const CLOCK: Clock = Instant::now;
const WALL_CLOCK: fn() -> SystemTime = SystemTime::now;

/// Serves until SIGTERM or SIGINT.
pub fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    telemetry::start();
    let config = operator::config(&args.operator)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(run(args, config))?;
    Ok(ExitCode::SUCCESS)
}

async fn run(args: ServeArgs, config: Config) -> anyhow::Result<()> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let signals = Signals::listen()?;
    let listener = bind(args.listen, "--listen").await?;
    let admin_listener = bind(args.admin_listen, "--admin-listen").await?;
    let (metrics, draining) = (Arc::new(Metrics::default()), Draining::default());
    let address = listener.local_addr().context("asking for the own port")?;
    let kubeconfig = args.kubeconfig.as_deref();
    let source =
        identity::source(args.identity, kubeconfig, address, &provider, WALL_CLOCK).await?;
    let readiness = identity::readiness(draining.clone(), source.standing(), WALL_CLOCK);
    let in_force = InForce::new(config);
    let mutation = Mutation {
        reviewer: in_force.reviewer(review),
        forecaster: in_force.reviewer(forecast),
        namespaces: in_force.namespaces.clone(),
        metrics: Arc::clone(&metrics),
        clock: CLOCK,
        draining: draining.clone(),
    };
    let tls = Arc::new(tls_config(provider, source.resolver())?);
    let server = Server { mutation, tls, limits: Limits::default() };
    let listens = identity::listener(Arc::clone(&metrics), WALL_CLOCK);
    let readiness = in_force.readiness(readiness);
    let watching = Watching::new(args.kubeconfig);
    let keeper = Keeper::new(args.operator, in_force, Arc::clone(&metrics), watching);
    let admin = Admin { metrics, readiness };
    let stop = CancellationToken::new();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, "serving");
    let drain = drain(signals, draining, args.drain_delay, stop.clone());
    tokio::select! {
        // The admin port and the certificates outlive the last request.
        () = async { tokio::join!(server.run(listener, stop.cancelled()), drain); } => {}
        () = admin.run(admin_listener, CLOCK, std::future::pending()) => {}
        () = source.keep_fresh(listens) => {}
        () = keeper.keep_fresh() => {}
    }
    tracing::info!("stopped");
    Ok(())
}

async fn bind(address: std::net::SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("listening on {address} ({option})"))
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("listening for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The first signal: not ready any more, but serving, until the endpoints have been updated. A
/// second signal ends the wait.
async fn drain(mut signals: Signals, draining: Draining, delay: Duration, stop: CancellationToken) {
    signals.next().await;
    draining.begin();
    tracing::info!(seconds = delay.as_secs(), "draining");
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        () = signals.next() => {}
    }
    stop.cancel();
}
