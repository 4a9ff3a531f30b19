//! The program: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use mayfly_webhook::{
    args::{Args, Command},
    audit, offline, serving,
};

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Serve(args) => serving::serve(*args),
        Command::Inject(args) => offline::inject(&args),
        Command::Explain(args) => offline::explain(&args),
        Command::CheckConfig(args) => offline::check_config(&args),
        Command::Audit(args) => audit::audit(&args),
    };
    outcome.unwrap_or_else(|error| {
        report(&error);
        ExitCode::FAILURE
    })
}

/// The whole chain on one line, by `Display`.
#[expect(clippy::print_stderr, reason = "a program's last words")]
fn report(error: &anyhow::Error) {
    eprintln!("mayfly-webhook: {error:#}");
}
