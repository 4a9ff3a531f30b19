//! The commands, each in a room of its own.
//!
//! EDGE: files, standard streams, a cluster. What is decided and found is decided and found elsewhere.

mod audit;
mod check_config;
mod explain;
mod inject;
mod manifest;
mod refresh;
mod status;

use std::process::ExitCode;

use crate::args::Command;

/// The exit code of a manifest that would be denied, of a configuration that would not be taken, of findings, and of
/// pods that lack something.
const FOUND: u8 = 2;

/// Does what was asked, and says by the exit code what came of it.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Inject(args) => inject::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Refresh(args) => refresh::run(&args),
    }
}
