//! What a person at the terminal sees while the lab works: one line for each step, with the time since the start.

use std::{
    fmt::Display,
    io::{self, Write as _},
    sync::LazyLock,
    time::Instant,
};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Says one line.
pub fn say(line: impl Display) {
    let seconds = START.elapsed().as_secs_f64();
    // A terminal that has gone away is no reason to stop.
    let _ = writeln!(io::stderr(), "[{seconds:6.1} s] {line}");
}

/// Says lines as they are, for a person to copy from.
pub fn show(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
