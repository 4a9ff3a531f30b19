//! The Secrets Store CSI driver's pattern: every secret of every pod, two minutes apart for ever.

use std::{collections::BTreeMap, time::Duration};

/// The driver's default interval.
const INTERVAL: u64 = 120;
const DAY: u64 = 24 * 3600;

/// What the driver asks of Secrets Manager.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The most calls in a second, again and again.
    pub(crate) peak: u64,
    /// The calls of a day.
    pub(crate) per_day: u64,
}

impl Pattern {
    /// The pattern of pods that started at `starts`.
    pub(crate) fn of(starts: &[Duration], secrets: u16) -> Self {
        let mut seconds: BTreeMap<u64, u64> = BTreeMap::new();
        for start in starts {
            *seconds.entry(start.as_secs() % INTERVAL).or_default() += u64::from(secrets);
        }
        let calls: u64 = seconds.values().sum();
        let peak = seconds.into_values().max().unwrap_or_default();
        Self { peak, per_day: calls * (DAY / INTERVAL) }
    }
}
