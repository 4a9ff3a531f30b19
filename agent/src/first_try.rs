//! A pod's first try to start: remembered in the agent's own state, and given up early where the
//! network may be waiting for the pod. What is waited for, and how long, is [`crate::patience`]'s.

use std::{future::pending, time::Duration};

use mayfly_spec::{Spec, spec::Mode};
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::{
    fault::{Class, Fault},
    files::{Folder, FolderError},
    gate,
    http::Contact,
    patience::{FIRST_LOOK, Seen, Verdict, verdict},
};

/// The file that remembers a first try that was given up.
const MARK: &str = "first-try-is-over";
/// How often it is looked at after the first time.
const POLL: Duration = Duration::from_millis(250);

/// A try that may be given up, because there is another one.
#[derive(Debug, Clone, Copy)]
pub struct FirstTry<'a> {
    folder: &'a Folder,
}

impl<'a> FirstTry<'a> {
    /// The try that begins, if it is the first, can be remembered, and is followed by another: in the
    /// other modes an end at the start costs the pod more than a second.
    pub fn of(spec: &Spec, folder: &'a Folder) -> Option<Self> {
        let is_first = || matches!(folder.read(MARK, 0), Ok(None));
        (spec.mode == Some(Mode::Sidecar) && is_first()).then_some(Self { folder })
    }

    /// Waits until the try is lost, and remembers that it was; for ever, if it has the whole deadline.
    async fn lost(self, spec: &Spec, contact: &Contact) -> Fault {
        let began = Instant::now();
        sleep(FIRST_LOOK).await;
        loop {
            match verdict(&self.seen(spec, contact, began)) {
                Verdict::Undecided => sleep(POLL).await,
                Verdict::GoOn => return pending().await,
                Verdict::End => break,
            }
        }
        if let Err(error) = self.remember() {
            // Who cannot remember its first try would never come to the second.
            warn!(%error, "the first try is not given up");
            return pending().await;
        }
        silence(began.elapsed())
    }

    fn remember(self) -> Result<(), FolderError> {
        self.folder.write(MARK, b"")
    }

    fn seen(self, spec: &Spec, contact: &Contact, began: Instant) -> Seen {
        Seen {
            spent: began.elapsed(),
            complete: gate::is_open(spec, self.folder.path()).unwrap_or(false),
            waiting: contact.waiting_since().map(|since| since.elapsed()),
            failed: contact.has_failed(),
        }
    }
}

/// Waits until a first try is lost, and hands out why; for ever, if it is none or goes on.
pub async fn lost(first: Option<FirstTry<'_>>, spec: &Spec, contact: &Contact) -> Fault {
    match first {
        Some(first) => first.lost(spec, contact).await,
        None => pending().await,
    }
}

fn silence(spent: Duration) -> Fault {
    let words = format!(
        "nobody has answered a connection for {:.1}s; where a network lets a pod out only when its IP \
         is published, it waits for this hook: so the first try ends early, and the next one, which \
         begins at once, has the whole start deadline",
        spent.as_secs_f64()
    );
    Fault::new(Class::Unreachable, words)
}

#[cfg(test)]
mod tests {
    use mayfly_spec::Spec;
    use serde_json::json;
    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn spec(mode: &str) -> Spec {
        let spec = json!({
            "version": 1, "directory": "/nowhere", "mode": mode,
            "files": [{"path": "a", "from": "file:/a"}],
        });
        serde_json::from_value(spec).expect("a configuration")
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_the_first_try_within_three_seconds_and_no_other() {
        let place = tempfile::tempdir().expect("a place");
        let folder = Folder::make(&place.path().join("state")).expect("a folder");
        let spec = spec("sidecar");
        let contact = Contact::default();
        let _attempt = contact.begin();
        let began = Instant::now();
        let lost = lost(FirstTry::of(&spec, &folder), &spec, &contact).await;
        assert_eq!(lost.class, Class::Unreachable);
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert!(FirstTry::of(&spec, &folder).is_none(), "it is not remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_goes_on_if_somebody_answers_or_it_cannot_be_remembered() {
        let place = tempfile::tempdir().expect("a place");
        let path = place.path().join("state");
        let folder = Folder::make(&path).expect("a folder");
        let spec = spec("sidecar");
        let goes_on = async |contact: &Contact| {
            let first = FirstTry::of(&spec, &folder);
            assert!(first.is_some());
            timeout(LONG, lost(first, &spec, contact)).await.is_err()
        };
        assert!(goes_on(&Contact::default()).await, "nothing was waited for");
        let refused = Contact::default();
        let _waiting = refused.begin();
        refused.begin().ended(false);
        assert!(goes_on(&refused).await, "a connection was refused");
        let silent = Contact::default();
        let _waiting = silent.begin();
        // A folder that is gone takes no file.
        #[expect(clippy::disallowed_methods, reason = "a test takes the folder away")]
        std::fs::remove_dir_all(&path).expect("a folder");
        assert!(goes_on(&silent).await, "it cannot be remembered");
    }

    #[test]
    fn only_what_is_started_again_at_once_has_a_first_try() {
        let place = tempfile::tempdir().expect("a place");
        let folder = Folder::make(&place.path().join("state")).expect("a folder");
        for mode in ["init", "parallel"] {
            assert!(FirstTry::of(&spec(mode), &folder).is_none(), "{mode}");
        }
    }
}
