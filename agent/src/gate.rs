//! The gate: waits until a complete generation is on the volume. It only looks.

use std::time::Duration;

use mayfly_spec::{Spec, spec::Mode};
use tokio::time::{Instant, sleep};

use crate::{
    disk::Volume,
    fault::Fault,
    status::{self, Status},
};

/// How often the volume is looked at; a pod's start waits for this, so it is short.
const POLL: Duration = Duration::from_millis(25);

/// What came of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// The files are complete.
    Open,
    /// The time is over; what the agent said last.
    Closed(Option<Fault>),
}

/// Waits until the files of `spec` are complete, or `limit` is over. In the parallel mode the start
/// deadline is the limit if there is no other.
pub async fn wait(spec: &Spec, limit: Option<Duration>) -> Passage {
    let deadline = spec.start.deadline.duration();
    let limit = limit.or_else(|| (spec.mode == Some(Mode::Parallel)).then_some(deadline));
    let began = Instant::now();
    loop {
        let status = read(spec);
        if is_open(spec, status.as_ref()) {
            return Passage::Open;
        }
        if limit.is_some_and(|limit| began.elapsed() >= limit) {
            return Passage::Closed(status.and_then(|status| status.error));
        }
        sleep(POLL).await;
    }
}

/// What the agent of `spec` last said about itself.
pub fn read(spec: &Spec) -> Option<Status> {
    let volume = Volume::open(&spec.directory).ok()?;
    Status::parse(&volume.read_status()?)
}

fn is_open(spec: &Spec, status: Option<&Status>) -> bool {
    let Some(status) = status.filter(|status| status.is_complete(spec)) else {
        return false;
    };
    let present =
        Volume::open(&spec.directory).ok().and_then(|volume| volume.adopt(status::expected(spec)));
    present.is_some_and(|generation| generation >= status.generation)
}
