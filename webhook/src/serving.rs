//! `mayfly-webhook serve`: the parts put together.
//!
//! EDGE: sockets, signals, clock. Everything that is started here ends here.

#![expect(clippy::disallowed_methods, reason = "the one place where the real clock is handed out")]

mod configuration;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use mayfly_certs::{files::CertificateFiles, resolver::Resolver};
use rustls::crypto::aws_lc_rs;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use configuration::{InForce, Keeper, Watching};

use crate::{
    admission::{forecast, review},
    args::ServeArgs,
    config::Config,
    offline,
    server::{Admin, Clock, Draining, Limits, Metrics, Mutation, Readiness, Server, tls_config},
    telemetry,
};

/// How often the certificate files are looked at: soon after a rotation, which comes days before
/// the end of the old certificate.
const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(10);

const CLOCK: Clock = Instant::now;

/// Serves until SIGTERM or SIGINT.
pub fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    telemetry::start();
    let config = offline::config(&args.operator)?;
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
    let files = CertificateFiles::new(args.tls_cert, args.tls_key, Arc::clone(&provider));
    let resolver = files.resolver();
    let in_force = InForce::new(config);
    let mutation = Mutation {
        reviewer: in_force.reviewer(review),
        forecaster: in_force.reviewer(forecast),
        namespaces: in_force.namespaces.clone(),
        metrics: Arc::clone(&metrics),
        clock: CLOCK,
        draining: draining.clone(),
    };
    let certificates = Arc::clone(&resolver);
    let tls = Arc::new(tls_config(provider, certificates)?);
    let server = Server { mutation, tls, limits: Limits::default() };
    let readiness = in_force.readiness(readiness(draining.clone(), resolver));
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
        () = files.keep_fresh(CERTIFICATE_INTERVAL, report_certificate) => {}
        () = keeper.keep_fresh() => {}
    }
    tracing::info!("stopped");
    Ok(())
}

async fn bind(address: std::net::SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("listening on {address} ({option})"))
}

fn readiness(draining: Draining, resolver: Arc<Resolver>) -> Readiness {
    Arc::new(move || {
        if draining.has_begun() {
            Err("about to stop")
        } else if resolver.current().is_none() {
            Err("no certificate yet")
        } else {
            Ok(())
        }
    })
}

fn report_certificate(outcome: Result<(), mayfly_certs::files::FilesError>) {
    match outcome {
        Ok(()) => tracing::info!("a new certificate is served"),
        Err(error) => {
            let error = anyhow::Error::from(error);
            tracing::warn!(error = %format!("{error:#}"), "the certificate files are not usable");
        }
    }
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
