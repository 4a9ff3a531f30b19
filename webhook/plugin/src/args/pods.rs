//! Which pods are asked, and how to tell of them.

use clap::{ArgGroup, ValueEnum};

use super::ClusterArgs;

/// Which pods.
#[derive(Debug, clap::Args)]
pub struct PodArgs {
    /// These pods of the namespace
    #[arg(value_name = "POD", conflicts_with_all = ["selector", "all_namespaces"])]
    pub pods: Vec<String>,
    /// The namespace; without it the kubeconfig's
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The pods of every namespace
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Only pods with these labels, such as `app=web`
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub selector: Option<String>,
}

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Which pods; without any, all of the namespace.
    #[command(flatten)]
    pub pods: PodArgs,
    /// How to tell of them
    #[arg(short, long, value_enum, default_value_t = StatusFormat::Table)]
    pub output: StatusFormat,
    /// Look again every five seconds, and tell of the pods that stand otherwise than before
    #[arg(short, long)]
    pub watch: bool,
}

/// How to tell of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people
    Table,
    /// For people, with when the files were written, how the secrets stand, warnings and nodes
    Wide,
    /// For programs, with every secret; a pod on each line with --watch
    Json,
}

/// The arguments of `refresh`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("which").args(["pods", "selector", "all_namespaces"]).multiple(true).required(true))]
pub struct RefreshArgs {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Which pods.
    #[command(flatten)]
    pub pods: PodArgs,
}
