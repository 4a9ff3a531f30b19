//! The gate: waits until a complete generation is on the volume. It only looks.
//!
//! What it believes is what the agent remembers, in the agent's own folder; of the volume only that it
//! shows just that.

use std::{path::Path, time::Duration};

use mayfly_spec::{Spec, spec::Mode};
use tokio::time::{Instant, sleep};

use crate::{
    closing,
    disk::Volume,
    fault::Fault,
    files::{Folder, FolderError},
    memory::{self, Memory},
    status::{self, Status},
};

/// How often is looked; a pod's start waits for this, so it is short.
const POLL: Duration = Duration::from_millis(25);

/// What came of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// The files are complete.
    Open,
    /// The time is over; what the agent said last.
    Closed(Option<Fault>),
}

/// Waits until the files of `spec` are complete, of which the agent remembers in `folder` that they
/// are, the agent stands by the word that its start failed, or `limit` is over. In the parallel mode the start deadline is the limit if there is no other.
pub async fn wait(spec: &Spec, folder: &Path, limit: Option<Duration>) -> Passage {
    let deadline = spec.start.deadline.duration();
    let limit = limit.or_else(|| (spec.mode == Some(Mode::Parallel)).then_some(deadline));
    let began = Instant::now();
    loop {
        let is_open = is_open(spec, folder);
        if let Ok(true) = is_open {
            return Passage::Open;
        }
        if let Some(fault) = verdict(folder) {
            return Passage::Closed(Some(fault));
        }
        if limit.is_some_and(|limit| began.elapsed() >= limit) {
            let said = read(folder).ok().flatten().and_then(|status| status.error);
            return Passage::Closed(is_open.err().map(Fault::from).or(said));
        }
        sleep(POLL).await;
    }
}

/// What the agent that keeps its state in `folder` last said about itself.
pub fn read(folder: &Path) -> Result<Option<Status>, FolderError> {
    Folder::open(folder)?.map_or(Ok(None), |folder| memory::read_status(&folder))
}

fn verdict(folder: &Path) -> Option<Fault> {
    Folder::open(folder).ok().flatten().as_ref().and_then(closing::verdict)
}

/// Whether the files of `spec` are complete, as the agent that keeps its state in `folder` remembers.
pub(crate) fn is_open(spec: &Spec, folder: &Path) -> Result<bool, FolderError> {
    let Some(folder) = Folder::open(folder)? else { return Ok(false) };
    let memory = Memory::read(&folder)?;
    let is_complete = memory.configuration == status::digest(spec);
    let shows = |volume: Volume| volume.shows(&memory.manifest);
    Ok(is_complete && Volume::open(&spec.directory).is_ok_and(shows))
}
