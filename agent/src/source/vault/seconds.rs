//! Numbers of seconds, as others write them: none is too large, too small or too odd to be read.
//!
//! PURE.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::life;

/// The duration, if it can be one: not negative, no fraction of a unit that nobody uses.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_secs)
}

/// The time from `now` to a date: seconds since 1970, or RFC 3339. None if it has passed, or is so
/// far away that it is written in another unit.
pub(super) fn until(value: &Value, now: SystemTime) -> Option<Duration> {
    let date = match value {
        Value::String(text) => humantime::parse_rfc3339(text).ok()?,
        number => SystemTime::UNIX_EPOCH.checked_add(seconds(number)?)?,
    };
    life::known(date.duration_since(now).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_date_in_another_unit_is_not_known() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        for (date, left) in [
            (json!(1_800_000_060), Some(60)),
            (json!("2027-01-15T08:01:00Z"), Some(60)),
            (json!(1_799_999_999), None),
            (json!(1_800_000_060_000_u64), None),
            (json!(u64::MAX), None),
            (json!(-1), None),
            (json!(1e300), None),
            (json!("soon"), None),
        ] {
            assert_eq!(until(&date, now).map(|left| left.as_secs()), left, "{date}");
        }
    }

    proptest! {
        #[test]
        fn no_number_is_too_odd(positive: u64, signed: i64, fraction: f64, now: u32) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.into());
            let numbers = [json!(positive), json!(signed), json!(fraction)];
            for number in numbers {
                seconds(&number);
                until(&number, now);
                until(&json!(number.to_string()), now);
            }
        }
    }
}
