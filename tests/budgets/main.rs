//! `cargo budgets`: measures what design.md part 9 promises, each figure beside its budget.
//!
//! Everything is measured on the loopback, in one run, with the release binaries; ratios are between
//! things measured minutes apart on the same machine. It judges nothing but prints what it saw.

#![allow(clippy::print_stdout, reason = "the table is the program's output")]
#![allow(clippy::disallowed_methods, reason = "a benchmark is all edge: clock, files, processes")]

mod agent;
mod bare;
mod binaries;
mod certificate;
mod hostile;
mod load;
mod webhook;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use mayfly_tests::measure::{self, table};

/// What was seen, beside what was promised, if anything.
type Table = table::Table<3>;

/// Measures the budgets of Mayfly's two programs.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// How often the start of the agent is timed.
    #[arg(long, default_value_t = 30)]
    starts: usize,
    /// How many requests each server is sent over its 32 connections.
    #[arg(long, default_value_t = 60_000)]
    requests: usize,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Only what the dearest hostile review costs.
    Hostile,
    /// (Started by the benchmark itself) the bare axum and rustls handler to compare with.
    #[command(hide = true)]
    Bare {
        /// Where to listen.
        #[arg(long)]
        listen: std::net::SocketAddr,
        /// The folder with `tls.crt` and `tls.key`.
        #[arg(long)]
        tls: PathBuf,
    },
}

fn main() -> Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match args.part {
            Some(Part::Bare { listen, tls }) => bare::serve(listen, &tls).await,
            Some(Part::Hostile) => {
                let mut table = Table::new(["what", "seen", "budget"]);
                hostile::measure(&mut table)?;
                println!("\n{table}");
                Ok(())
            }
            None => measure(&args).await,
        }
    })
}

async fn measure(args: &Args) -> Result<()> {
    let binaries = measure::binaries::build()?;
    let mut table = Table::new(["what", "seen", "budget"]);
    binaries::measure(&binaries, &mut table)?;
    hostile::measure(&mut table)?;
    agent::measure(&binaries, args.starts, &mut table).await?;
    webhook::measure(&binaries, args.requests, &mut table).await?;
    println!("\n{table}");
    Ok(())
}
