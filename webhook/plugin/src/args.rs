//! The command line.
//!
//! Knows names and defaults of options; what they do is elsewhere.

mod installation;
mod pods;

use std::{ffi::OsString, path::PathBuf};

use clap::{
    CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::NonEmptyStringValueParser,
};

pub use installation::Installation;
pub use pods::{PodArgs, RefreshArgs, StatusArgs, StatusFormat};

/// How people call this program.
const PLUGIN: &str = "kubectl mayfly";

/// Mayfly for people: what pods would get, may get, and have got.
#[derive(Debug, Parser)]
#[command(name = "kubectl-mayfly", bin_name = PLUGIN, version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The arguments of this process; ends it when they are no arguments, or ask for help.
pub fn read() -> Args {
    parse(std::env::args_os().collect()).unwrap_or_else(|error| error.exit())
}

/// The arguments in `words`, the first of which is what the program was called.
fn parse(words: Vec<OsString>) -> Result<Args, clap::Error> {
    let name = words.first().and_then(|name| name.to_str()).unwrap_or(PLUGIN);
    let command = Args::command().bin_name(called(name));
    Args::from_arg_matches(&command.try_get_matches_from(words)?)
}

/// What help and errors call the program. A shell hands over the name as it was typed; `kubectl` hands over the path
/// at which it has found the plugin.
fn called(name: &str) -> String {
    if name.contains(std::path::MAIN_SEPARATOR) { PLUGIN } else { name }.to_owned()
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a manifest as it would be admitted, without a cluster
    Inject(ManifestArgs),
    /// Say what a manifest's pods will get, and the least that AWS and Vault have to allow them
    Explain(ExplainArgs),
    /// Say whether the webhook would take a configuration
    CheckConfig(CheckConfigArgs),
    /// Look at a cluster: pods without agent, with an older one, unknown annotations
    Audit(AuditArgs),
    /// Ask the agents of pods how they stand: mode, state, age of the oldest value, last error
    Status(StatusArgs),
    /// Have the agents of pods look for new versions at once
    Refresh(RefreshArgs),
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

/// The arguments of `inject`: a manifest, and what decides about it.
#[derive(Debug, clap::Args)]
pub struct ManifestArgs {
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
    pub manifest: ManifestArgs,
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

/// Which cluster is asked.
#[derive(Debug, Clone, clap::Args)]
pub struct ClusterArgs {
    /// How to reach the cluster; without it as `kubectl` does
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context, instead of its current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// The arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Table,
    /// For programs
    Json,
    /// For Prometheus: how many of each, as a file for its node exporter or a Pushgateway
    Metrics,
    /// For a reviewer: a page to file, with who gets which secret as whom and how fresh it is, as the agents tell, and
    /// who may come to it
    Html,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(name: &str) -> String {
        let words = [name, "inject", "--help"].map(OsString::from);
        parse(words.into()).expect_err("help").to_string()
    }

    #[test]
    fn help_calls_the_program_as_it_was_called() {
        let plugin = usage("/home/me/.krew/bin/kubectl-mayfly");
        assert!(plugin.contains("Usage: kubectl mayfly inject "), "{plugin}");
        let own = usage("kubectl-mayfly");
        assert!(own.contains("Usage: kubectl-mayfly inject "), "{own}");
    }

    #[test]
    fn a_refresh_says_of_which_pods() {
        let takes = |line: &str| parse(line.split(' ').map(OsString::from).collect()).is_ok();
        assert!(takes("mayfly status") && !takes("mayfly refresh"));
        assert!(takes("mayfly refresh a b -n shop") && takes("mayfly refresh -l app=web -A"));
        assert!(!takes("mayfly refresh a -A") && !takes("mayfly refresh a -l app=web"));
        assert!(!takes("mayfly status -A -n shop") && takes("mayfly status -w -o wide"));
    }
}
