//! What is measured: starts one after another in turns, then both at rest, then both at work.

use std::{
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use mayfly_tests::measure::{
    median,
    process::{Memory, Process},
};

use crate::{
    contender::{Contender, file},
    server::{SECRETS, Server},
};

/// How often both look while their requests are counted.
pub(crate) const LOOK: Duration = Duration::from_secs(5);
/// How often both look unless told otherwise.
const DEFAULT_LOOK: Duration = Duration::from_mins(5);
/// How long both are left alone before their memory is read.
const REST: Duration = Duration::from_secs(10);
/// A start that takes longer has failed.
const START: Duration = Duration::from_secs(30);

/// What was seen of one.
#[derive(Debug)]
pub(crate) struct Seen {
    /// From exec to the first file.
    pub(crate) first: Duration,
    /// From exec to the last.
    pub(crate) all: Duration,
    /// At rest.
    pub(crate) memory: Memory,
    /// Requests in an hour of [`DEFAULT_LOOK`].
    pub(crate) hourly: u64,
}

/// Measures both.
pub(crate) fn of(
    contenders: &[Contender; 2],
    server: &Server,
    starts: usize,
    seconds: u32,
) -> Result<[Seen; 2]> {
    let mut times = [(); 2].map(|()| (vec![], vec![]));
    for start in 0..starts {
        for (contender, (first, all)) in contenders.iter().zip(&mut times) {
            let begun = Instant::now();
            let (_process, files) = contender.start(&format!("start-{start}"), DEFAULT_LOOK)?;
            first.push(until(begun, &files, 1)?);
            all.push(until(begun, &files, SECRETS)?);
        }
    }
    let memory = at_rest(contenders)?;
    let hourly = at_work(contenders, server, seconds)?;
    let [theirs, ours] = times.map(|(first, all)| (median(first), median(all)));
    let seen = |(first, all), memory, hourly| Seen { first, all, memory, hourly };
    Ok([seen(theirs, memory[0], hourly[0]), seen(ours, memory[1], hourly[1])])
}

fn at_rest(contenders: &[Contender; 2]) -> Result<[Memory; 2]> {
    let [theirs, ours] = start(contenders, "rest", DEFAULT_LOOK)?;
    sleep(REST);
    Ok([theirs.memory()?, ours.memory()?])
}

fn at_work(contenders: &[Contender; 2], server: &Server, seconds: u32) -> Result<[u64; 2]> {
    let _both = start(contenders, "work", LOOK)?;
    let count = || -> Result<[u64; 2]> {
        let [theirs, ours] = contenders.each_ref().map(|contender| server.requests(contender.kind));
        Ok([theirs?, ours?])
    };
    let before = count()?;
    sleep(Duration::from_secs(1) * seconds);
    let after = count()?;
    // So many looks are counted, and so many are in an hour.
    let (looks, hour) = (u64::from(seconds) / LOOK.as_secs(), 3600 / DEFAULT_LOOK.as_secs());
    Ok([0, 1].map(|one| ((after[one] - before[one]) * hour).div_ceil(looks.max(1))))
}

/// Starts both and waits for their files.
fn start(contenders: &[Contender; 2], name: &str, look: Duration) -> Result<[Process; 2]> {
    let [theirs, ours] = contenders.each_ref().map(|contender| contender.start(name, look));
    let ((theirs, at_theirs), (ours, at_ours)) = (theirs?, ours?);
    for files in [at_theirs, at_ours] {
        until(Instant::now(), &files, SECRETS)?;
    }
    Ok([theirs, ours])
}

/// How long it takes until so many files are there, without burning a processor for it.
fn until(begun: Instant, files: &Path, wanted: usize) -> Result<Duration> {
    while begun.elapsed() < START {
        if (0..SECRETS).filter(|&number| files.join(file(number)).exists()).count() >= wanted {
            return Ok(begun.elapsed());
        }
        sleep(Duration::from_micros(200));
    }
    bail!("{} has too few files", files.display())
}
