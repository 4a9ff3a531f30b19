//! What people read: results on stdout, words on stderr.
//!
//! A result that cannot be written is a failure like another, never a panic: a full disk behind
//! stdout, a pager that was left.

use std::{
    fmt,
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

/// The exit code of a result that nobody has got, as of whatever else should not happen.
const NOT_WRITTEN: u8 = 1;

/// Writes a result to stdout, and then gives `code`; if it cannot be written, another.
pub(crate) fn result(text: impl fmt::Display, code: ExitCode) -> ExitCode {
    let mut stdout = anstream::stdout();
    match write!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Ok(()) => code,
        Err(error) => not_written(&error),
    }
}

/// What becomes of a result that could not be written. Who has left a pager knows it.
pub(crate) fn not_written(error: &io::Error) -> ExitCode {
    if error.kind() != ErrorKind::BrokenPipe {
        complain(format_args!("mayfly-agent: stdout cannot be written: {error}"));
    }
    ExitCode::from(NOT_WRITTEN)
}

/// Writes a line to stderr. If that cannot be, there is nobody left to tell.
pub(crate) fn complain(line: impl fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
