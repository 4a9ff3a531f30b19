//! The program: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use mayfly_webhook::{
    args::{Args, Command},
    serving,
};

fn main() -> ExitCode {
    let Command::Serve(args) = Args::parse().command;
    serving::serve(*args).unwrap_or_else(|error| {
        report(&error);
        ExitCode::FAILURE
    })
}

/// The whole chain on one line, by `Display`.
#[expect(clippy::print_stderr, reason = "a program's last words")]
fn report(error: &anyhow::Error) {
    eprintln!("mayfly-webhook: {error:#}");
}
