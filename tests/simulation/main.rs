//! `cargo simulate`: what a fleet of agents asks of AWS, under virtual time, beside AWS's quotas and prices.
//!
//! ```text
//! plan      which calls a look makes     the agent's own code, asked once for each number of secrets
//! fleet     every pod's agent            its own schedule, backoff and start deadline; a kubelet that starts it anew
//! service   who answers                  quotas as buckets, calls counted by the second
//! driver    the CSI driver's pattern     arithmetic
//! report    the table
//! ```
//! No clock, no sleeping, no network: a queue of events, and randomness from a seed.

#![allow(clippy::print_stdout, reason = "the table is the program's output")]

mod driver;
mod fleet;
mod plan;
mod report;
mod service;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use fleet::{Fleet, Load};
use plan::Plan;
use report::Report;

/// Simulates fleets of pods against the quotas of AWS.
#[derive(Debug, Parser)]
struct Args {
    /// How many pods there are; each number is a fleet of its own.
    #[arg(long, value_delimiter = ',', default_value = "100,1000,10000,100000")]
    pods: Vec<u32>,
    /// How many secrets of Secrets Manager each pod has.
    #[arg(long, default_value_t = 3)]
    secrets: u16,
    /// How many parameters of the Parameter Store each pod has.
    #[arg(long, default_value_t = 0)]
    parameters: u16,
    /// How many sealed values (`kms:`) each pod has.
    #[arg(long, default_value_t = 0)]
    sealed: u16,
    /// The refresh interval, in seconds.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(10..=1800))]
    refresh: u64,
    /// How many pods a node has.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pods_per_node: u32,
    /// What the randomness is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How the pods of a fleet start.
const STARTS: [(&str, Duration); 2] =
    [("at once", Duration::from_secs(1)), ("over 10m", Duration::from_mins(10))];

fn main() -> Result<()> {
    let args = Args::parse();
    let plan = Plan::new(args.secrets, args.parameters)?;
    let mut report = Report::new(&args);
    for pods in &args.pods {
        for (name, over) in STARTS {
            let load = Load {
                pods: *pods,
                pods_per_node: args.pods_per_node,
                over,
                refresh: Duration::from_secs(args.refresh),
                sealed: args.sealed,
            };
            let starts = load.starts(args.seed);
            let driver = driver::Pattern::of(&starts, args.secrets);
            report.add(name, &Fleet::new(&plan, &load, &starts, args.seed).run(), &driver);
        }
    }
    println!("{report}");
    Ok(())
}
