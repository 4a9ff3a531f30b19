//! The identity that is served: from arguments to a source, from its events to log and metrics.
//!
//! EDGE.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, ensure};
use kube::Client;
use mayfly_certs::{
    event::{Event, Listener},
    files::CertificateFiles,
    issue::Wish,
    proof::{OwnPort, Prover, server_name},
    registration::Target,
    replica::Replica,
    self_issued::{SelfIssued, Settings, Surroundings},
    source::Source,
    standing::Standing,
    timing::{Timing, WallClock},
};
use rustls::crypto::CryptoProvider;

use crate::{
    args::{IdentityArgs, SelfIssuedArgs},
    cluster,
    server::{Draining, Metrics, Readiness},
};

/// The service's name, unless other names are given.
const SERVICE: &str = "mayfly-webhook";
/// Where pods are reviewed, and where workloads are.
const PATHS: [&str; 2] = ["/mutate", "/warn"];
/// The time for a handshake with our own port.
const PROOF: Duration = Duration::from_secs(3);

/// The source that the arguments ask for; `address` is our own port's.
pub(super) async fn source(
    args: IdentityArgs,
    kubeconfig: Option<&Path>,
    address: SocketAddr,
    provider: &Arc<CryptoProvider>,
    clock: fn() -> SystemTime,
) -> anyhow::Result<Source> {
    let (clock, provider): (WallClock, _) = (Arc::new(clock), Arc::clone(provider));
    let own_port = |name| OwnPort {
        address,
        name,
        provider: Arc::clone(&provider),
        clock: Arc::clone(&clock),
        limit: PROOF,
    };
    let names = names(&args);
    let called = names.iter().map(|name| server_name(name)).collect::<Result<Vec<_>, _>>()?;
    let prover = own_port(called.first().cloned()).prover();
    if let Some((certificate, key)) = args.tls_cert.clone().zip(args.tls_key.clone()) {
        let files = CertificateFiles::new(certificate, key, called, provider, clock, prover);
        return Ok(Source::Files(Box::new(files)));
    }
    let client = cluster::client(kubeconfig).await?;
    let settings = settings(args, names, kubeconfig.is_none())?;
    self_issued(settings, client, prover, provider, clock)
}

/// The names that the API server calls, as far as they are known.
fn names(args: &IdentityArgs) -> Vec<String> {
    if !args.tls_names.is_empty() {
        return args.tls_names.clone();
    }
    args.namespace.iter().map(|namespace| format!("{SERVICE}.{namespace}.svc")).collect()
}

fn self_issued(
    settings: Settings,
    client: Client,
    prover: Prover,
    provider: Arc<CryptoProvider>,
    clock: WallClock,
) -> anyhow::Result<Source> {
    let surroundings = Surroundings { client, clock, jitter: fastrand::f64, provider, prover };
    Ok(Source::SelfIssued(Box::new(SelfIssued::new(settings, surroundings)?)))
}

fn settings(args: IdentityArgs, names: Vec<String>, is_inside: bool) -> anyhow::Result<Settings> {
    let IdentityArgs { namespace, self_issued: args, .. } = args;
    let replica = args.replica.as_deref();
    let replica = replica.context("give --replica, or set POD_NAME to the pod's name")?;
    ensure!(!names.is_empty(), "give --tls-name, or set POD_NAMESPACE");
    // What is outside is no pod whose end others could find out about.
    let replica = match namespace.filter(|_| is_inside) {
        Some(namespace) => Replica::pod(namespace, replica),
        None => Replica::process(replica),
    };
    let (configuration, others) = targets(&args);
    let wish = Wish { replica, names, lifetime: args.certificate_lifetime };
    Ok(Settings { wish, configuration, others, timing: Timing::default() })
}

/// The configuration that pods are reviewed by, and the other one, unless they are the same.
fn targets(args: &SelfIssuedArgs) -> (Target, Vec<Target>) {
    let name = args.webhook_configuration.clone();
    let warnings = args.warnings_configuration.clone();
    let warnings = warnings.unwrap_or_else(|| format!("{name}-warnings"));
    if warnings == name {
        return (Target { name, elsewhere: None }, Vec::new());
    }
    let [mutate, warn] = PATHS.map(Some);
    let warnings = Target { name: warnings, elsewhere: mutate };
    (Target { name, elsewhere: warn }, vec![warnings])
}

/// Ready is who is trusted, reached, and not about to stop.
pub(super) fn readiness(
    draining: Draining,
    standing: Arc<Standing>,
    clock: fn() -> SystemTime,
) -> Readiness {
    Arc::new(move || {
        if draining.has_begun() {
            return Err("about to stop");
        }
        standing.obstacle(clock()).map_or(Ok(()), |obstacle| Err(obstacle.reason()))
    })
}

/// Who logs and counts what happens to the identity.
pub(super) fn listener(metrics: Arc<Metrics>, clock: fn() -> SystemTime) -> Listener {
    Arc::new(move |event| {
        metrics.of_identity(&event, clock());
        log(event);
    })
}

fn log(event: Event) {
    match event {
        Event::Exchanged { not_after } => {
            let not_after = seconds(not_after);
            tracing::info!(not_after, "a new certificate is served");
        }
        Event::Proven => tracing::info!("the API server can trust and reach this replica"),
        Event::Removed(configuration) => {
            tracing::warn!(
                configuration,
                "our certificate authority was taken out of the webhook configuration"
            );
        }
        Event::Repaired(configuration) => {
            tracing::warn!(
                configuration,
                "our certificate authority is in the webhook configuration again"
            );
        }
        Event::Unreadable(blocks) => {
            tracing::warn!(blocks, "a caBundle holds what is no certificate; it is left out");
        }
        Event::Fault(error) => {
            let error = anyhow::Error::from_boxed(error);
            tracing::warn!(error = %format!("{error:#}"), "the certificate is not as it should be");
        }
    }
}

/// Since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
