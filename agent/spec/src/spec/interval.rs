//! A span of time as people and Kubernetes write it: `30s`, `5m`, `1h30m`.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A span of time of at least 50 milliseconds and at most a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval(Duration);

/// Shorter is a loop without a pause; what an operator allows is the operator's floor.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// Text that is no span of time for us.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no span of time; write a number and a unit from 50ms to 366d, for example `30s`, `5m` or `1h30m`"
)]
pub struct IntervalError(String);

impl Interval {
    /// The interval of so many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The interval as a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        humantime::parse_duration(text)
            .ok()
            .filter(|duration| (SHORTEST..=LONGEST).contains(duration))
            .map(Self)
            .ok_or_else(|| IntervalError(text.to_owned()))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&humantime::format_duration(self.0).to_string().replace(' ', ""))
    }
}

impl TryFrom<String> for Interval {
    type Error = IntervalError;

    fn try_from(text: String) -> Result<Self, IntervalError> {
        text.parse()
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}
