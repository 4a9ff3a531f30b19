//! The program: arguments in, exit code out.

use std::process::ExitCode;

use kubectl_mayfly::{args, command};

fn main() -> ExitCode {
    command::run(args::read().command).unwrap_or_else(|error| {
        report(&error);
        ExitCode::FAILURE
    })
}

/// The whole chain on one line, by `Display`.
#[expect(clippy::print_stderr, reason = "a program's last words")]
fn report(error: &anyhow::Error) {
    eprintln!("kubectl-mayfly: {error:#}");
}
