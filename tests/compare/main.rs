//! `cargo compare`: Vault Agent beside Mayfly's, in one run, with the same ten secrets over TLS from the
//! same Vault, both logged in by the same token of a service account.
//!
//! ```text
//! server      a real Vault that knows ten secrets, and counts who asks
//! contender   how either agent is told to want them
//! trial       what is measured of it
//! ```
//! It judges nothing but prints what it saw. The first run builds Vault with Go.

#![allow(clippy::print_stdout, reason = "the table is the program's output")]
#![allow(clippy::disallowed_methods, reason = "a benchmark is all edge: clock, files, processes")]

mod contender;
mod server;
mod trial;

use anyhow::Result;
use clap::Parser;
use mayfly_tests::{
    lab::{folders::Folders, tools::golang},
    measure::{binaries, process::mebibytes, table::Table},
};

use crate::{
    contender::{Contender, Kind},
    server::Server,
    trial::Seen,
};

/// Measures Vault Agent and Mayfly's agent side by side.
#[derive(Debug, Parser)]
struct Args {
    /// How often each start is timed.
    #[arg(long, default_value_t = 15)]
    starts: usize,
    /// For how many seconds requests are counted.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let mayfly = binaries::build()?.agent;
    let vault = golang::VAULT.build(&Folders::find()?.tools()).await?.join("vault");
    let folder = tempfile::tempdir()?;
    let server = Server::start(&vault, folder.path()).await?;
    let contenders = [(Kind::VaultAgent, vault), (Kind::Mayfly, mayfly)]
        .map(|(kind, program)| Contender::new(kind, program, folder.path(), &server));
    let [theirs, ours] = trial::of(&contenders, &server, args.starts, args.seconds)?;
    println!("\n{}", table(&theirs, &ours));
    println!(
        "Ten secrets of a KV store, version 2, read over TLS; a look every 5 minutes, which is both's default."
    );
    println!("Requests were counted in Vault's audit log for {} s with a look every", args.seconds);
    println!(
        "{:?}, and scaled to 5 minutes; logins and renewals of the token are not among them.",
        trial::LOOK
    );
    Ok(())
}

fn table(theirs: &Seen, ours: &Seen) -> Table<4> {
    let mut table = Table::new(["what", "Vault Agent 1.15.0", "mayfly-agent", "ratio"]);
    let mut memory = |what: &str, of: fn(&Seen) -> u64| {
        let (theirs, ours) = (of(theirs), of(ours));
        table.row([&what, &mebibytes(theirs), &mebibytes(ours), &ratio(theirs, ours)]);
    };
    memory("at rest, resident", |seen| seen.memory.resident);
    memory("at rest, of that anonymous", |seen| seen.memory.anonymous);
    let mut time = |what: &str, of: fn(&Seen) -> std::time::Duration| {
        let (theirs, ours) = (of(theirs), of(ours));
        let ratio = ratio(micros(theirs), micros(ours));
        table.row([&what, &format!("{theirs:.1?}"), &format!("{ours:.1?}"), &ratio]);
    };
    time("exec to the first file, median", |seen| seen.first);
    time("exec to all ten files, median", |seen| seen.all);
    let ratio = ratio(theirs.hourly, ours.hourly);
    table.row([&"requests an hour", &theirs.hourly, &ours.hourly, &ratio]);
    table
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// How many times the one is the other.
fn ratio(theirs: u64, ours: u64) -> String {
    let tenths = theirs.saturating_mul(10).checked_div(ours);
    tenths.map_or_else(String::new, |tenths| format!("{}.{}", tenths / 10, tenths % 10))
}
