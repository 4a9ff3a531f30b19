//! The command line.
//!
//! Knows names and defaults of options; what they do is elsewhere.

mod identity;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, builder::NonEmptyStringValueParser};
use mayfly_spec::spec::Interval;

pub use identity::{IdentityArgs, SelfIssuedArgs, Tls};

/// Mayfly's admission webhook: secrets for pods as files in memory.
#[derive(Debug, Parser)]
#[command(name = "mayfly-webhook", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands. What people ask is `kubectl mayfly`'s.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer the API server's admission reviews
    Serve(Box<ServeArgs>),
}

/// What decides about pods.
#[derive(Debug, Clone, clap::Args)]
pub struct OperatorArgs {
    /// The operator's configuration (YAML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The agent's image, before the one of the configuration
    #[arg(long, value_name = "IMAGE", value_parser = NonEmptyStringValueParser::new())]
    pub agent_image: Option<String>,
}

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Where admission reviews are answered, over TLS, at `/mutate`
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// Where `/healthz`, `/readyz` and `/metrics` are answered, in plain HTTP
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub admin_listen: SocketAddr,
    /// Answer only who shows a client certificate of one of these authorities (PEM), read anew when its content changes;
    /// may be given again
    #[arg(long, value_name = "FILE")]
    pub client_ca: Vec<PathBuf>,
    /// How long requests are still taken after SIGTERM, until no endpoint names this replica
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = delay)]
    pub drain_delay: Duration,
    /// How to reach the API server from outside a cluster
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// What decides about pods.
    #[command(flatten)]
    pub operator: OperatorArgs,
    /// Where the certificate comes from.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

/// `0s`, or an interval.
fn delay(text: &str) -> Result<Duration, String> {
    if text == "0s" {
        return Ok(Duration::ZERO);
    }
    let interval: Interval = text.parse().map_err(|error| format!("{error}"))?;
    Ok(interval.duration())
}
