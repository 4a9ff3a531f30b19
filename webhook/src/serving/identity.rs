//! The identity that is served: from arguments to a source, from its events to log and metrics.
//!
//! EDGE.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use kube::Client;
use mayfly_certs::{
    event::{Event, Listener},
    files::CertificateFiles,
    issue::Wish,
    proof::{OwnPort, Prover},
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
/// What our own port is called when its certificate's names do not matter.
const ANY_NAME: &str = "localhost";
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
    if let Some((certificate, key)) = args.tls_cert.zip(args.tls_key) {
        let prover = prover(address, ANY_NAME, &provider)?;
        let files = CertificateFiles::new(certificate, key, provider, clock, prover);
        return Ok(Source::Files(files));
    }
    let client = cluster::client(kubeconfig).await?;
    let settings = settings(args.self_issued, kubeconfig.is_none())?;
    self_issued(settings, client, address, provider, clock)
}

fn self_issued(
    settings: Settings,
    client: Client,
    address: SocketAddr,
    provider: Arc<CryptoProvider>,
    clock: WallClock,
) -> anyhow::Result<Source> {
    let prover = prover(address, &settings.wish.names[0], &provider)?;
    let surroundings = Surroundings { client, clock, jitter: fastrand::f64, provider, prover };
    Ok(Source::SelfIssued(Box::new(SelfIssued::new(settings, surroundings)?)))
}

fn prover(
    address: SocketAddr,
    name: &str,
    provider: &Arc<CryptoProvider>,
) -> anyhow::Result<Prover> {
    Ok(OwnPort::new(address, name, Arc::clone(provider), PROOF)?.prover())
}

fn settings(args: SelfIssuedArgs, is_inside: bool) -> anyhow::Result<Settings> {
    let SelfIssuedArgs { replica, namespace, mut tls_names, .. } = args;
    let replica = replica.context("give --replica, or set POD_NAME to the pod's name")?;
    if tls_names.is_empty() {
        let namespace = namespace.as_deref();
        let namespace = namespace.context("give --tls-name, or set POD_NAMESPACE")?;
        tls_names.push(format!("{SERVICE}.{namespace}.svc"));
    }
    // What is outside is no pod whose end others could find out about.
    let replica = match namespace.filter(|_| is_inside) {
        Some(namespace) => Replica::pod(namespace, replica),
        None => Replica::process(replica),
    };
    Ok(Settings {
        wish: Wish { replica, names: tls_names, lifetime: args.certificate_lifetime },
        configuration: args.webhook_configuration,
        timing: Timing::default(),
    })
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
        Event::Removed => {
            tracing::warn!("our certificate authority was taken out of the webhook configuration");
        }
        Event::Repaired => {
            tracing::warn!("our certificate authority is in the webhook configuration again");
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
