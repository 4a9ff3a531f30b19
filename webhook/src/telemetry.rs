//! Logs: one JSON object a line, on standard error.
//!
//! EDGE. Whoever logs waits for nobody: lines go through a bounded buffer to a thread of their own, and when nobody takes
//! them they are dropped, counted, and told of as soon as somebody does.

use std::{
    io::{self, BufWriter, Write},
    panic,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use tracing::Level;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Whose lines are written.
const OURS: [&str; 2] = ["mayfly_webhook", "mayfly_certs"];

/// Lines that wait at most, each of some hundred bytes: more than come during many pauses.
const LINES: usize = 1024;

/// After what there was is written, more may gather: to wake the thread for each line costs a part of a review.
const PAUSE: Duration = Duration::from_millis(5);

/// The process' log, which is written for as long as this is kept.
#[derive(Debug)]
pub struct Log {
    lost: ErrorCounter,
    _worker: WorkerGuard,
}

impl Log {
    /// What tells how many lines were dropped.
    pub fn lost_lines(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let lost = self.lost.clone();
        move || lost.dropped_lines() as u64
    }
}

/// Sets up the process' log. Our own lines only: what a dependency would tell is not ours to vouch
/// for.
pub fn start() -> Log {
    let ours = Targets::new().with_targets(OURS.map(|name| (name, Level::INFO)));
    let (writer, log) = buffered(io::stderr(), LINES, |lost| {
        tracing::warn!(lost, "lines of the log were dropped, because nobody took them");
    });
    let lines = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(Level::INFO)
        .with_writer(writer);
    lines.finish().with(ours).init();
    // The hook that there is would wait for whoever reads standard error, and repeat what a review was about.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic");
    }));
    log
}

/// A writer that never waits for `stream`; `tell` hears how many lines were lost once the others have got through.
fn buffered(
    stream: impl Write + Send + 'static,
    lines: usize,
    tell: impl FnMut(usize) + Send + 'static,
) -> (NonBlocking, Log) {
    let lost = Arc::new(OnceLock::new());
    let flowing =
        Flowing { stream: BufWriter::new(stream), lost: Arc::clone(&lost), told: 0, tell };
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(lines);
    let (writer, worker) = builder.thread_name("log").finish(flowing);
    let counter = lost.get_or_init(|| writer.error_counter()).clone();
    (writer, Log { lost: counter, _worker: worker })
}

/// The stream, which is flushed whenever nothing waits any more.
struct Flowing<W: Write, T> {
    stream: BufWriter<W>,
    lost: Arc<OnceLock<ErrorCounter>>,
    told: usize,
    tell: T,
}

impl<W: Write, T: FnMut(usize)> Write for Flowing<W, T> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.stream.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()?;
        let lost = self.lost.get().map_or(0, ErrorCounter::dropped_lines);
        let untold = lost - self.told;
        if untold > 0 {
            self.told = lost;
            (self.tell)(untold);
        }
        pause();
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "lines are gathered; nobody waits for them")]
fn pause() {
    thread::sleep(PAUSE);
}

#[cfg(test)]
mod tests;
