//! `cargo e2e`: Mayfly on a real cluster. The command line and the list of topics; the lab is the library's.

mod abuse;
mod admission;
mod audit;
mod audit_page;
mod aws;
mod aws_identity;
mod canary;
mod chart;
mod client_ca;
mod company;
mod database;
mod delivery;
mod dns;
mod examples;
mod formats;
mod gate;
mod host;
mod hostile;
mod image_webhooks;
mod install;
mod jobs;
mod kms;
mod kubectl;
mod kubectl_status;
mod lab;
mod manifest;
mod neighbour;
mod operator;
mod other_webhooks;
mod outage;
mod ownership;
mod policy;
mod refusal;
mod registration;
mod removal;
mod rollout;
mod rotation;
mod search;
mod secrecy;
mod start;
mod strangers;
mod templates;
mod tenant;
mod turmoil;
mod vault;
mod vault_auth;
mod wild;
mod workloads;

use std::{future::Future, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};
use mayfly_tests::lab::{
    aws::front,
    chart as plain,
    suite::{self, Case, Options},
};
use tokio::runtime::Runtime;

/// Runs Mayfly's tests on a real cluster of their own.
#[derive(Debug, Parser)]
#[command(name = "cargo e2e", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Run only tests with one of these in their names.
    filters: Vec<String>,
    /// Leave the cluster up and say how to talk to it; use the one that is up, if there is one.
    #[arg(long)]
    keep: bool,
    /// Take the time for the long forms of tests.
    #[arg(long)]
    soak: bool,
    /// Say which tests there are.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take down what a run has left.
    Down,
    /// Write the plain manifests anew from the chart.
    Manifests,
    /// Make every pod in a folder of manifests ask for a secret, and tell what became of each.
    Wild {
        /// The folder, with everything below it: YAML and JSON
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Leave the cluster up; use the one that is up, if there is one.
        #[arg(long)]
        keep: bool,
    },
    /// The front of AWS, which the lab starts by itself.
    #[command(name = front::COMMAND, hide = true)]
    AwsFront {
        /// The certificate of the cluster whose tokens are good.
        #[arg(long)]
        authority: PathBuf,
    },
}

fn main() -> ExitCode {
    let Args { command, filters, keep, soak, list } = Args::parse();
    match command {
        None => suite::run(&Options { filters, keep, soak, list }, topics(soak)),
        Some(Command::Down) => suite::down(),
        Some(Command::Manifests) => finish(plain::write()),
        Some(Command::Wild { folder, keep }) => {
            suite::work_on(keep, async |cluster| wild::tell(cluster, &folder).await)
        }
        Some(Command::AwsFront { authority }) => finish(front::serve(&authority)),
    }
}

fn finish(work: impl Future<Output = Result<()>>) -> ExitCode {
    let outcome = Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(work));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            mayfly_tests::lab::progress::show(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Every test, by topic; the siege, in which the API server itself stumbles, only where there is time for the long forms.
fn topics(soak: bool) -> Vec<Case> {
    [
        if soak { hostile::cases() } else { Vec::new() },
        lab::cases(),
        chart::cases(),
        formats::cases(),
        delivery::cases(),
        aws::cases(),
        aws_identity::cases(),
        kms::cases(),
        vault_auth::cases(),
        wild::cases(),
        rotation::cases(),
        templates::cases(),
        vault::cases(),
        jobs::cases(),
        outage::cases(),
        dns::cases(),
        refusal::cases(),
        registration::cases(),
        admission::cases(),
        workloads::cases(),
        audit::cases(),
        audit_page::cases(),
        ownership::cases(),
        company::cases(),
        other_webhooks::cases(),
        image_webhooks::cases(),
        kubectl::cases(),
        kubectl_status::cases(),
        rollout::cases(),
        turmoil::cases(),
        start::cases(),
        gate::cases(),
        abuse::cases(),
        strangers::cases(),
        policy::cases(),
        removal::cases(),
        install::cases(),
        client_ca::cases(),
        examples::cases(),
        // It looks for what all of the others have left.
        secrecy::cases(),
    ]
    .concat()
}
