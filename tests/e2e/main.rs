//! `cargo e2e`: Mayfly on a real cluster. The command line and the list of topics; the lab is the library's.

mod abuse;
mod admission;
mod aws;
mod canary;
mod company;
mod delivery;
mod examples;
mod host;
mod jobs;
mod kubectl;
mod lab;
mod manifest;
mod neighbour;
mod operator;
mod other_webhooks;
mod outage;
mod ownership;
mod refusal;
mod registration;
mod removal;
mod rollout;
mod rotation;
mod search;
mod secrecy;
mod start;
mod tenant;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use mayfly_tests::lab::{
    aws::front,
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
        None => suite::run(&Options { filters, keep, soak, list }, topics()),
        Some(Command::Down) => suite::down(),
        Some(Command::AwsFront { authority }) => serve(&authority),
    }
}

fn serve(authority: &std::path::Path) -> ExitCode {
    let served = Runtime::new()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(front::serve(authority)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            mayfly_tests::lab::progress::show(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Every test, by topic.
fn topics() -> Vec<Case> {
    [
        lab::cases(),
        delivery::cases(),
        aws::cases(),
        rotation::cases(),
        jobs::cases(),
        outage::cases(),
        refusal::cases(),
        registration::cases(),
        admission::cases(),
        ownership::cases(),
        company::cases(),
        other_webhooks::cases(),
        kubectl::cases(),
        rollout::cases(),
        start::cases(),
        abuse::cases(),
        removal::cases(),
        examples::cases(),
        // It looks for what all of the others have left.
        secrecy::cases(),
    ]
    .concat()
}
