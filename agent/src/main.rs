//! `mayfly-agent`: the program around the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A second provider would make rustls ask which one to take; this one is the only.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    mayfly_agent::command::main()
}
