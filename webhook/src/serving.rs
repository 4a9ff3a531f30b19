//! `mayfly-webhook serve`: the parts put together.
//!
//! EDGE: sockets, signals, clock. Everything that is started here ends here.

#![expect(clippy::disallowed_methods, reason = "the one place where the real clock is handed out")]

mod callers;
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
    runtime::{Builder, Handle, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use callers::AuthorityFiles;
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
///
/// Reviews have a runtime of their own: however busy it is, this thread's goes on answering the admin port, keeping
/// certificate and configuration fresh, and listening for signals.
pub fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let log = telemetry::start();
    let config = operator::config(&args.operator)?;
    let serving = serving_runtime().context("starting the runtime of the server")?;
    let beside = Builder::new_current_thread().enable_all().build();
    let beside = beside.context("starting the runtime beside the server")?;
    let mut metrics = Metrics::default();
    metrics.count_lost_lines(log.lost_lines());
    let outcome = beside.block_on(run(args, config, metrics, serving.handle()));
    // What a review has begun is nobody's any more.
    serving.shutdown_background();
    outcome.map(|()| ExitCode::SUCCESS)
}

/// One worker more than there are processors, so that one is left when reviews take the others.
fn serving_runtime() -> std::io::Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread().worker_threads(processors + 1).enable_all().build()
}

async fn run(
    args: ServeArgs,
    config: Config,
    metrics: Metrics,
    serving: &Handle,
) -> anyhow::Result<()> {
    let (metrics, draining) = (Arc::new(metrics), Draining::default());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let signals = Signals::listen()?;
    // Its sockets belong to the runtime that it is opened on.
    let listener = serving.spawn(bind(args.listen, "--listen")).await??;
    let admin_listener = bind(args.admin_listen, "--admin-listen").await?;
    let address = listener.local_addr().context("asking for the own port")?;
    let kubeconfig = args.kubeconfig.as_deref();
    let source =
        identity::source(args.identity, kubeconfig, address, &provider, WALL_CLOCK).await?;
    let readiness = identity::readiness(draining.clone(), source.standing(), WALL_CLOCK);
    let authorities = callers::read(args.client_ca, &provider, &metrics)?;
    let in_force = InForce::new(config);
    let mutation = Mutation {
        reviewer: in_force.reviewer(review),
        forecaster: in_force.reviewer(forecast),
        namespaces: in_force.namespaces.clone(),
        callers: authorities.as_ref().map(AuthorityFiles::callers),
        metrics: Arc::clone(&metrics),
        clock: CLOCK,
        draining: draining.clone(),
    };
    let tls = tls_config(provider, source.resolver(), mutation.callers.as_ref())?;
    let server = {
        let _its_own = serving.enter();
        Server::new(mutation, Arc::new(tls), Limits::default()).context("starting the server")?
    };
    let listens = identity::listener(Arc::clone(&metrics), WALL_CLOCK);
    let readiness = in_force.readiness(readiness);
    let watching = Watching::new(args.kubeconfig);
    let keeper = Keeper::new(args.operator, in_force, Arc::clone(&metrics), watching);
    let admin = Admin { metrics, readiness };
    let stop = CancellationToken::new();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, "serving");
    let pulse = server.pulse();
    let answering = serving.spawn(server.run(listener, stop.clone().cancelled_owned()));
    let drained = async {
        drain(signals, draining, args.drain_delay, stop).await;
        Ok(())
    };
    let ended = async { tokio::try_join!(answering, drained).context("the server has failed") };
    tokio::select! {
        // The admin port and the certificates outlive the last request.
        outcome = ended => outcome.map(drop)?,
        () = admin.run(admin_listener, CLOCK, std::future::pending()) => {}
        () = source.keep_fresh(listens) => {}
        () = keep_fresh(authorities) => {}
        () = keeper.keep_fresh() => {}
        () = pulse.beat() => {}
    }
    tracing::info!("stopped");
    Ok(())
}

async fn keep_fresh(authorities: Option<AuthorityFiles>) {
    match authorities {
        Some(authorities) => authorities.keep_fresh().await,
        None => std::future::pending().await,
    }
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
