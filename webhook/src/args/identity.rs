//! Where the server's certificate comes from: two files, or itself.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, ValueEnum, builder::NonEmptyStringValueParser};
use mayfly_spec::spec::Interval;

/// A shorter one could end before the next is trusted.
const SHORTEST: Duration = Duration::from_secs(30);

/// The identity's arguments: either the two files, or `--tls self-issued` and what belongs to it.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("identity").required(true).args(["tls", "tls_cert"]))]
pub struct IdentityArgs {
    /// Where the certificate comes from, if not from files
    #[arg(long, value_name = "SOURCE", value_enum)]
    pub tls: Option<Tls>,
    /// The certificate chain (PEM), read anew when its content changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The DNS names and IP addresses that the API server calls, each of which the certificate has to be
    /// for [default: mayfly-webhook.NAMESPACE.svc, if the namespace is known]
    #[arg(long = "tls-name", value_name = "DNS", value_parser = NonEmptyStringValueParser::new())]
    pub tls_names: Vec<String>,
    /// This pod's namespace
    #[arg(long, value_name = "NAME", env = "POD_NAMESPACE", value_parser = NonEmptyStringValueParser::new())]
    pub namespace: Option<String>,
    /// What belongs to `--tls self-issued`.
    #[command(flatten)]
    pub self_issued: SelfIssuedArgs,
}

/// Sources of a certificate that are no files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tls {
    /// Made by this replica for itself, and made known to the API server
    SelfIssued,
}

/// What belongs to `--tls self-issued`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "With --tls self-issued")]
pub struct SelfIssuedArgs {
    /// The webhook configuration whose webhooks are to trust this replica, and without which no pod is
    /// reviewed; what leads to `/warn` has a configuration of its own
    #[arg(long, value_name = "NAME", default_value = "mayfly-webhook", value_parser = NonEmptyStringValueParser::new())]
    pub webhook_configuration: String,
    /// The one that leads to `/warn`, which may be missing; the name of the other, if that one has both
    /// [default: that name and `-warnings`]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub warnings_configuration: Option<String>,
    /// What tells this replica from the others
    #[arg(long, value_name = "NAME", env = "POD_NAME", value_parser = NonEmptyStringValueParser::new())]
    pub replica: Option<String>,
    /// How long a certificate is valid; it is renewed before half of that is over
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = lifetime)]
    pub certificate_lifetime: Duration,
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let interval: Interval = text.parse().map_err(|error| format!("{error}"))?;
    let lifetime = interval.duration();
    if lifetime < SHORTEST {
        return Err(format!("at least {} s", SHORTEST.as_secs()));
    }
    Ok(lifetime)
}
