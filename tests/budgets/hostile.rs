//! What the dearest of the hostile bodies costs the reviewing function, in time of the CPU.

use std::{hint::black_box, time::Duration};

use anyhow::{Context, Result};
use mayfly_admission::{config::Config, policy::Directory, review::review};
use mayfly_tests::crowds;
use rustix::time::{ClockId, clock_gettime};

use crate::Table;

/// Each body is answered so often, and the quickest counts: the rest is other programs' time.
const TRIES: usize = 3;

/// Answers every crowd in this process and tells the dearest.
pub(crate) fn measure(table: &mut Table) -> Result<()> {
    let config =
        Config::from_yaml("defaults: {vault-address: 'https://vault:8200', vault-role: web}")?;
    let directory = Directory::default();
    let cost = |body: &[u8]| {
        let answer = || {
            let before = cpu();
            drop(black_box(review(&config, &directory, body).answer()));
            cpu().saturating_sub(before)
        };
        (0..TRIES).map(|_| answer()).min().unwrap_or_default()
    };
    let costs = crowds::all().into_iter().map(|(name, body)| (cost(&body), name));
    let (dearest, name) = costs.max().context("there is no hostile body")?;
    let seen = format!("{:.1} ms ({name})", dearest.as_secs_f64() * 1000.0);
    table.row([&"dearest hostile review, CPU", &seen, &"≤ 100 ms"]);
    Ok(())
}

/// What this thread has had of the CPU.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
