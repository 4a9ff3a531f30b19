//! Log lines: JSON on stderr, words on a terminal. Only this crate's own lines are written.
//!
//! # Design
//! Libraries' lines are dropped here, in code, whatever the level: some of them print requests.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt};

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Nothing.
    Off,
    /// What ended the agent.
    Error,
    /// What failed.
    Warn,
    /// What changed.
    Info,
    /// Every look.
    Debug,
    /// Everything.
    Trace,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

/// Starts logging; `for_people` asks for words where stderr is a terminal.
pub fn start(level: Level, for_people: bool) {
    let level = LevelFilter::from(level);
    let ours = Targets::new().with_target("mayfly_agent", level);
    let lines = tracing_subscriber::fmt().with_writer(stderr).with_max_level(level);
    // Where nobody reads stderr, nobody is told there that nobody does.
    let lines = lines.log_internal_errors(false);
    // A second start, in a test, leaves the first one be.
    let _ = if for_people && stderr().is_terminal() {
        let lines = lines.compact().with_target(false).without_time().finish();
        tracing::subscriber::set_global_default(lines.with(ours))
    } else {
        tracing::subscriber::set_global_default(
            lines.json().flatten_event(true).with_target(false).finish().with(ours),
        )
    };
}
