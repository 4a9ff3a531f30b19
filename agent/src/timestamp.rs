//! A point in time as people and status files write it: RFC 3339, in UTC, to the second.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

/// A point in time; printed as `2026-11-21T12:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(SystemTime);

/// The last second that RFC 3339 can write, in seconds of the epoch.
const LAST: u64 = 253_402_300_799;

impl Timestamp {
    /// The time of day.
    pub fn time(self) -> SystemTime {
        self.0
    }

    /// The time from `now` to this; none if it has passed.
    pub fn lies_ahead(self, now: SystemTime) -> Duration {
        self.0.duration_since(now).unwrap_or_default()
    }

    /// The time that has passed from this to `now`; none if it lies ahead.
    pub fn age(self, now: SystemTime) -> Duration {
        now.duration_since(self.0).unwrap_or_default()
    }
}

/// Whole seconds, so that what is written reads back equal; what is later than RFC 3339 can write is
/// the last that it can.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs().min(LAST)))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = humantime::TimestampError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        humantime::parse_rfc3339(&text).map(Self)
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_can_be_written_and_reads_back() {
        for seconds in [0, 1, LAST, LAST + 1, i64::MAX.cast_unsigned()] {
            let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
            let timestamp = Timestamp::from(time.expect("a time"));
            assert_eq!(Timestamp::try_from(timestamp.to_string()), Ok(timestamp), "{seconds}");
        }
    }
}
