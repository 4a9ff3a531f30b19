//! `cargo demo`.

use std::process::ExitCode;

fn main() -> ExitCode {
    mayfly_tests::demo::main()
}
