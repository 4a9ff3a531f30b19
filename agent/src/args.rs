//! The command line and the environment: the only place that reads either.
#![expect(clippy::disallowed_methods, reason = "this is where the environment is read")]

use std::{env, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use mayfly_spec::Spec;

use crate::{source::AwsEnvironment, telemetry::Level};

/// Fetches secrets with the pod's own identity and keeps them fresh as files in memory.
#[derive(Debug, Parser)]
#[command(name = "mayfly-agent", version, arg_required_else_help = false)]
pub struct Args {
    /// What to do [default: run]
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The configuration, YAML or JSON; wins over `MAYFLY_CONFIG`
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A folder that stands in for `/` in every absolute path of the configuration
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Where the reason is written when the agent fails [default in a pod: /dev/termination-log]
    #[arg(long, global = true, value_name = "PATH")]
    pub termination_log: Option<PathBuf>,
    /// How much is logged
    #[arg(long, global = true, value_enum, value_name = "LEVEL", default_value = "info")]
    pub log_level: Level,
}

/// What the agent is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Fetch, write, and keep fresh until SIGTERM
    Run {
        /// Who waits for the start: `hook` is a pod's `postStart` hook, which is told when it failed;
        /// the agent then stays until it is ended
        #[arg(long, value_enum, value_name = "GATE")]
        gate: Option<Gate>,
    },
    /// Fetch, write, and exit
    Once,
    /// Wait until the first files are complete
    Wait {
        /// How long, for example `30s`; `0s` looks once
        #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
        timeout: Option<Duration>,
    },
    /// Log in and read every reference, write nothing, print tables: as whom, what, what rotates
    Check {
        /// Warn of every secret whose version is older, for example `90d`; the exit code stays
        #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
        warn_age: Option<Duration>,
    },
    /// Seal a value from stdin for one service account, and print its reference
    #[command(after_help = SEAL_HELP)]
    Seal(SealArgs),
    /// Ask a running agent to look at once, at most once in ten seconds, and tell what came of it
    Refresh,
    /// Print the state of a running agent
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

impl Default for Command {
    fn default() -> Self {
        Self::Run { gate: None }
    }
}

/// Who waits for the start of an agent, and has to hear of its failure before the agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Gate {
    /// A `postStart` hook that runs `wait`.
    Hook,
}

/// What a value is sealed with, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct SealArgs {
    /// The KMS key, by its ARN
    #[arg(long, value_name = "ARN")]
    pub kms_key: String,
    /// The namespace of the pods that may open the value
    #[arg(long, value_name = "NAME")]
    pub namespace: String,
    /// Their service account
    #[arg(long, value_name = "NAME")]
    pub service_account: String,
    /// Seal offline: the public half of the asymmetric KMS key, as PEM
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
}

const SEAL_HELP: &str = "\
The value is sealed as it comes, a newline at its end too: printf %s \"$VALUE\" | mayfly-agent seal …
AWS is asked (kms:GenerateDataKey) as the section `aws` of the configuration says, else as the AWS CLI does.

With --public-key nobody is asked: whoever has the public half of an RSA key (RSAES_OAEP_SHA_256) can seal.
An asymmetric key knows no encryption context. So IAM cannot tie kms:Decrypt to one namespace: the agent opens
the value only for its own namespace and service account, but any other program that may kms:Decrypt with
the key can open it for itself. Have one such key for each service account, or for all that trust each other.";

/// What the agent knows from its own environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `MAYFLY_CONFIG`.
    pub config: Option<String>,
    /// Whether this is a pod: the configuration says how the agent is placed in one. Whoever brings his own configuration
    /// into a pod has `KUBERNETES_SERVICE_HOST`, which the pod's author can write, and so only adds to it.
    pub in_pod: bool,
    /// What EKS's webhook, and ours, put there.
    pub aws: AwsEnvironment,
}

impl Environment {
    /// Reads it. An empty variable counts as none.
    pub fn read() -> Self {
        let value = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let config = value("MAYFLY_CONFIG");
        Self {
            in_pod: is_in_pod(config.as_deref(), value("KUBERNETES_SERVICE_HOST").as_deref()),
            config,
            aws: AwsEnvironment {
                role_arn: value("AWS_ROLE_ARN"),
                token_file: value("AWS_WEB_IDENTITY_TOKEN_FILE").map(PathBuf::from),
                region: value("AWS_REGION").or_else(|| value("AWS_DEFAULT_REGION")),
                credentials_uri: value("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                credentials_token_file: value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
                    .map(PathBuf::from),
                profile_files: profile_files(&value),
                pod: value("MAYFLY_POD_NAMESPACE").zip(value("MAYFLY_POD_NAME")),
                service_account: value("MAYFLY_SERVICE_ACCOUNT"),
            },
        }
    }
}

/// Where the AWS CLI has its files.
fn profile_files(value: &impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let files = [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
    let usual = |name| Some(PathBuf::from(value("HOME")?).join(".aws").join(name));
    let file = |(variable, name)| value(variable).map(PathBuf::from).or_else(|| usual(name));
    files.into_iter().filter_map(file).collect()
}

/// A configuration that cannot be read says nothing, and ends the agent in any case.
fn is_in_pod(config: Option<&str>, service_host: Option<&str>) -> bool {
    let is_placed = |config| Spec::from_environment(config).is_ok_and(|spec| spec.mode.is_some());
    config.is_some_and(is_placed) || service_host.is_some()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_aws_clis_files_are_where_it_has_them() {
        let of = |variables: &[(&str, &str)]| {
            let value = |name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            profile_files(&value)
        };
        let usual = ["/home/me/.aws/config", "/home/me/.aws/credentials"].map(PathBuf::from);
        assert_eq!(of(&[("HOME", "/home/me")]), usual);
        let other = ("AWS_SHARED_CREDENTIALS_FILE", "/other");
        assert_eq!(of(&[("HOME", "/home/me"), other]), [usual[0].clone(), "/other".into()]);
        assert_eq!(of(&[]), Vec::<PathBuf>::new());
    }

    #[test]
    fn the_contract_says_what_a_variable_cannot_take_away() {
        let config =
            |mode: &str| format!(r#"{{"version":1,"directory":"/run/mayfly",{mode}"files":[]}}"#);
        let (placed, own) = (config(r#""mode":"sidecar","#), config(""));
        assert!(is_in_pod(Some(&placed), None), "an empty variable counts as none");
        assert!(is_in_pod(Some(&placed), Some("10.0.0.1")));
        assert!(!is_in_pod(Some(&own), None), "a laptop");
        assert!(is_in_pod(Some(&own), Some("10.0.0.1")) && is_in_pod(None, Some("10.0.0.1")));
        assert!(!is_in_pod(None, None) && !is_in_pod(Some("{"), None));
    }

    #[test]
    fn run_is_the_default_and_options_stand_anywhere() {
        let parse = |line: &str| Args::try_parse_from(line.split(' ')).expect(line);
        assert_eq!(parse("mayfly-agent --config a.yaml").command, None);
        let wait = parse("mayfly-agent wait --timeout 30s --config a.yaml");
        assert_eq!(wait.command, Some(Command::Wait { timeout: Some(Duration::from_secs(30)) }));
        assert_eq!(wait.config, Some("a.yaml".into()));
    }
}
