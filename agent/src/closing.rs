//! The gate that stays closed: an agent whose start failed tells the hook that waits for it, and stays
//! until it is ended.
//!
//! An agent that ended by itself while the kubelet runs the hook would open the gate: the kubelet
//! stops a container that is gone already, may still be told that it runs, and starts the app. So the
//! hook has to fail first, and the kubelet to end the agent. What a hook believes is a verdict whose
//! lock is held: that of a life that is over says nothing about this one.

use std::{path::Path, pin::Pin, time::Duration};

use tokio::time::timeout;
use tracing::{error, warn};

use crate::{
    fault::Fault,
    files::{Folder, FolderError},
};

/// The file with the verdict.
const NAME: &str = "start-failed.json";
/// Far more than the faults of ten thousand references need.
const LONGEST: usize = 16 << 20;
/// By so much a stay is longer than any hook that could still wait for it.
const MARGIN: Duration = Duration::from_secs(10);

/// Tells of `fault` in `folder`, and stays until `asked` to end; where nobody asks, because a kubelet
/// was restarted and waits for no hook, a little longer than the start's `deadline`.
pub async fn stay(
    folder: Option<&Path>,
    fault: &Fault,
    deadline: Duration,
    asked: Pin<&mut impl Future<Output = ()>>,
) {
    let class = fault.class.name();
    error!(class, error = fault.message, "the start failed; the hook that waits is told");
    // As long as this is held, the verdict counts.
    let _held = match folder.map(|folder| tell(folder, fault)).transpose() {
        Ok(held) => held,
        Err(error) => {
            warn!(%error, "the hook cannot be told, and fails when its time is over");
            None
        }
    };
    // Either way there is nothing more to do.
    let _ = timeout(deadline + MARGIN, asked).await;
}

fn tell(folder: &Path, fault: &Fault) -> Result<impl Sized + use<>, FolderError> {
    let json = serde_json::to_vec(fault).expect("a fault is a word and a text");
    Folder::make(folder)?.hold(NAME, &json)
}

/// The verdict of the agent that keeps its state in `folder`, if it still stands by it.
pub fn verdict(folder: &Folder) -> Option<Fault> {
    let json = folder.read_held(NAME, LONGEST).ok().flatten()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use std::{future::pending, pin::pin};

    use tokio::{join, sync::oneshot};

    use super::*;
    use crate::fault::Class;

    #[tokio::test]
    async fn a_verdict_counts_as_long_as_its_agent_stays() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::make(place.path()).expect("a folder");
        assert_eq!(verdict(&folder), None);
        let fault = Fault::new(Class::Missing, "no such secret");
        let (end, ended) = oneshot::channel();
        let mut asked = pin!(async { ended.await.expect("asked") });
        let look = async {
            let seen = verdict(&folder);
            end.send(()).expect("an agent that stays");
            seen
        };
        let stays = stay(Some(place.path()), &fault, Duration::from_mins(1), asked.as_mut());
        let ((), seen) = join!(stays, look);
        assert_eq!(seen, Some(fault));
        assert_eq!(verdict(&folder), None, "a verdict of a life that is over");
    }

    #[tokio::test(start_paused = true)]
    async fn whom_nobody_ends_ends_after_every_hook() {
        let fault = Fault::new(Class::Configuration, "no configuration");
        let began = tokio::time::Instant::now();
        stay(None, &fault, Duration::from_secs(30), pin!(pending())).await;
        assert_eq!(began.elapsed(), Duration::from_secs(40));
    }
}
