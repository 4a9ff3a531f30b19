//! What the programs that measure have in common: the binaries as users get them, processes under
//! measurement, tables of what was seen. It does not know what is measured, nor what was promised.
#![allow(clippy::disallowed_methods, reason = "measuring is all edge: clock, files, processes")]

pub mod binaries;
pub mod process;
pub mod table;

use std::time::Duration;

/// The middle one of some times, of which there is at least one.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
