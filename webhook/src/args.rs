//! The command line.
//!
//! Knows names and defaults of options; what they do is elsewhere.

mod identity;

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Parser, Subcommand, ValueEnum, builder::NonEmptyStringValueParser};
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

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer the API server's admission reviews
    Serve(Box<ServeArgs>),
    /// Print a manifest as it would be admitted, without a cluster
    Inject(InjectArgs),
    /// Say what a manifest's pods will get, and the least that AWS and Vault have to allow them
    Explain(ExplainArgs),
    /// Say whether the server would take a configuration
    CheckConfig(CheckConfigArgs),
    /// Look at a cluster: pods without agent, with an older one, unknown annotations
    Audit(AuditArgs),
}

/// The arguments of `check-config`.
#[derive(Debug, clap::Args)]
pub struct CheckConfigArgs {
    /// The operator's configuration (YAML); `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "schema")]
    pub file: Option<PathBuf>,
    /// Print the configuration's JSON Schema instead
    #[arg(long, conflicts_with = "file")]
    pub schema: bool,
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

/// The arguments of `inject`.
#[derive(Debug, clap::Args)]
pub struct InjectArgs {
    /// The manifest (YAML or JSON, several documents, lists); `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// The namespace of what names none; of namespaces nothing but their names is known here
    #[arg(short, long, value_name = "NAME", default_value = "default", value_parser = NonEmptyStringValueParser::new())]
    pub namespace: String,
    /// What decides about pods.
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// How to say it
    #[arg(short, long, value_enum, default_value_t = ExplainFormat::Text)]
    pub output: ExplainFormat,
    /// What is admitted, and where.
    #[command(flatten)]
    pub manifest: InjectArgs,
}

/// How to explain.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ExplainFormat {
    /// For people, with policies to be copied
    Text,
    /// For programs
    Json,
    /// The roles and policies alone, as Terraform's resources
    Terraform,
}

/// The arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// How to reach the cluster; without it as `kubectl` does
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context, instead of its current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Only this namespace; may be given again
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Vec<String>,
    /// The webhook's Deployment, whose configuration is used unless --config gives one
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "mayfly/mayfly-webhook")]
    pub installation: Installation,
    /// Also: pods that take secrets from Secret objects or a `SecretProviderClass`, and the annotations instead
    #[arg(long)]
    pub migrate: bool,
    /// Also: who may come to the secrets of pods, by RBAC
    #[arg(long)]
    pub readers: bool,
    /// How to print what was found
    #[arg(short, long, value_enum, default_value_t = OutputFormat::Table)]
    pub output: OutputFormat,
    /// What decides about pods.
    #[command(flatten)]
    pub operator: OperatorArgs,
}

/// How to print.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Table,
    /// For programs
    Json,
    /// For Prometheus: how many of each, as a file for its node exporter or a Pushgateway
    Metrics,
}

/// A Deployment of the webhook.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for Installation {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err("say it as NAMESPACE/NAME"),
        }
    }
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
