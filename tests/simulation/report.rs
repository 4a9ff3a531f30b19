//! The table: each fleet's calls, beside quotas, prices and the driver's pattern.

use std::{fmt, time::Duration};

use crate::{
    Args,
    driver::Pattern,
    fleet::{END, SETTLED, Seen},
};

/// What ten thousand calls of Secrets Manager cost, in dollars.
const PRICE: f64 = 0.05;
/// And of KMS.
const PRICE_OF_KMS: f64 = 0.03;
/// The hours between two openings of a sealed value, on the average.
const HOURS: f64 = 18.0;
const DAYS_A_MONTH: f64 = 30.0;
const HEAD: [&str; 14] = [
    "PODS",
    "START",
    "HALF READY",
    "ALL READY",
    "ANEW",
    "PEAK",
    "THROTTLED",
    "PEAK AFTER",
    "STS PEAK",
    "CALLS/DAY",
    "$/MONTH",
    "QUOTAS",
    "KMS: PEAK, CALLS/DAY, $/MONTH",
    "CSI: PEAK, CALLS/DAY, $/MONTH",
];

/// The rows.
#[derive(Debug)]
pub(crate) struct Report {
    title: String,
    sealed: u16,
    rows: Vec<[String; 14]>,
}

impl Report {
    pub(crate) fn new(args: &Args) -> Self {
        let Args { secrets, parameters, sealed, refresh, seed, .. } = args;
        let title = format!(
            "{secrets} secrets and {parameters} parameters a pod, looked at every {refresh} s, and {sealed} sealed values; seed {seed}"
        );
        Self { title, sealed: *sealed, rows: vec![HEAD.map(str::to_owned)] }
    }

    /// Adds a fleet, whose pods started as `start` says.
    pub(crate) fn add(&mut self, start: &str, seen: &Seen, driver: &Pattern) {
        let per_day = calls_per_day(seen);
        self.rows.push([
            seen.pods.to_string(),
            start.to_owned(),
            wait(seen, seen.waits.get(seen.waits.len() / 2).copied()),
            wait(seen, seen.waits.last().copied()),
            seen.restarts.to_string(),
            peak(seen, Duration::ZERO, SETTLED).to_string(),
            throttled(seen, Duration::ZERO, SETTLED).to_string(),
            peak(seen, SETTLED, END).to_string(),
            seen.identity.peak(Duration::ZERO, END).to_string(),
            per_day.to_string(),
            format!("{:.2}", price(billed_per_day(seen)) * DAYS_A_MONTH),
            verdict(seen).to_owned(),
            keys(seen, self.sealed),
            format!(
                "{}, {}, {:.2}",
                driver.peak,
                driver.per_day,
                price(driver.per_day) * DAYS_A_MONTH
            ),
        ]);
    }
}

/// Of KMS there is too little in an hour to tell a day by.
fn keys(seen: &Seen, sealed: u16) -> String {
    let per_day = f64::from(seen.pods) * f64::from(sealed) * 24.0 / HOURS;
    let cost = per_day / 10_000.0 * PRICE_OF_KMS * DAYS_A_MONTH;
    format!("{}, {per_day:.0}, {cost:.2}", seen.keys.peak(Duration::ZERO, END))
}

/// What a day costs.
fn price(calls: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a bill is rounded to cents")]
    let calls = calls as f64;
    calls / 10_000.0 * PRICE
}

/// The calls of a day, of which the time after settling is the twenty-fourth part.
pub(crate) fn calls_per_day(seen: &Seen) -> u64 {
    billed_per_day(seen) + 24 * seen.parameters.answered(SETTLED, END)
}

/// Those of Secrets Manager; standard parameters cost nothing.
fn billed_per_day(seen: &Seen) -> u64 {
    24 * (seen.secrets.answered(SETTLED, END) + seen.batches.answered(SETTLED, END))
}

/// The most calls in a second, of whichever service.
fn peak(seen: &Seen, from: Duration, to: Duration) -> u32 {
    let services = [&seen.secrets, &seen.batches, &seen.parameters];
    services.iter().map(|service| service.peak(from, to)).max().unwrap_or_default()
}

pub(crate) fn throttled(seen: &Seen, from: Duration, to: Duration) -> u64 {
    let services = [&seen.secrets, &seen.batches, &seen.parameters];
    services.iter().map(|service| service.throttled(from, to)).sum()
}

/// Whether the fleet stays below the quotas.
fn verdict(seen: &Seen) -> &'static str {
    let at_start = throttled(seen, Duration::ZERO, SETTLED) + seen.node_throttled;
    match (at_start, throttled(seen, SETTLED, END)) {
        (0, 0) => "below",
        (_, 0) => "met at start",
        _ => "above",
    }
}

/// A wait, if it ended in the time that was watched.
fn wait(seen: &Seen, wait: Option<Duration>) -> String {
    let all = usize::try_from(seen.pods) == Ok(seen.waits.len());
    match wait.filter(|_| all) {
        Some(wait) => format!("{:.1} s", wait.as_secs_f64()),
        None => format!("{} of {}", seen.waits.len(), seen.pods),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.title)?;
        let width = |column: usize| self.rows.iter().map(|row| row[column].len()).max();
        for row in &self.rows {
            let cells = row.iter().enumerate();
            let cells =
                cells.map(|(at, cell)| format!("{cell:>0$}", width(at).unwrap_or_default()));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  "))?;
        }
        writeln!(
            f,
            "\nPEAK: the most calls of one service in a second until all has settled, and after; quotas: GetSecretValue 10,000,"
        )?;
        writeln!(
            f,
            "BatchGetSecretValue 100, the Parameter Store 40 a second, Pod Identity 1,000 a second and node. ANEW: agents that gave"
        )?;
        write!(
            f,
            "up at their start deadline and were started anew. $0.05 for 10,000 calls of Secrets Manager, $0.03 of KMS, 30 days."
        )
    }
}
