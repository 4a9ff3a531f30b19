//! A pod's first try to start: remembered in the agent's own state, and given up early where the
//! network may be waiting for the pod. What is waited for, and how long, is [`patience`]'s.
#![expect(clippy::disallowed_methods, reason = "what is remembered is a file")]

use std::{
    fs::{DirBuilder, File},
    future::pending,
    io,
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    time::Duration,
};

use mayfly_spec::{Spec, spec::Mode};
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::{
    fault::{Class, Fault},
    gate,
    http::Contact,
    patience::{self, FIRST_LOOK, Seen, Verdict, verdict},
    root::Root,
};

/// The file that remembers a first try that was given up.
const MARK: &str = "first-try-is-over";
/// How often it is looked at after the first time.
const POLL: Duration = Duration::from_millis(250);

/// A try that may be given up, because there is another one.
#[derive(Debug)]
pub struct FirstTry {
    mark: PathBuf,
}

impl FirstTry {
    /// The try that begins, if it is the first, can be remembered, and is followed by another: in the
    /// other modes an end at the start costs the pod more than a second.
    pub fn of(spec: &Spec, root: &Root) -> Option<Self> {
        let state = spec.state.as_ref().filter(|_| spec.mode == Some(Mode::Sidecar))?;
        let mark = root.resolve(state).join(MARK);
        (!mark.exists()).then_some(Self { mark })
    }

    /// Waits until the try is lost, and remembers that it was; for ever, if it has the whole deadline.
    async fn lost(&self, spec: &Spec, contact: &Contact) -> Fault {
        let began = Instant::now();
        sleep(FIRST_LOOK).await;
        loop {
            match verdict(&seen(spec, contact, began)) {
                Verdict::Undecided => sleep(POLL).await,
                Verdict::GoOn => return pending().await,
                Verdict::End => break,
            }
        }
        if let Err(error) = self.remember() {
            // Who cannot remember its first try would never come to the second.
            warn!(%error, file = %self.mark.display(), "the first try is not given up");
            return pending().await;
        }
        silence(began.elapsed())
    }

    fn remember(&self) -> io::Result<()> {
        if let Some(folder) = self.mark.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        File::create(&self.mark).map(drop)
    }
}

/// Waits until a first try is lost, and hands out why; for ever, if it is none or goes on.
pub async fn lost(first: Option<FirstTry>, spec: &Spec, contact: &Contact) -> Fault {
    match first {
        Some(first) => first.lost(spec, contact).await,
        None => pending().await,
    }
}

fn seen(spec: &Spec, contact: &Contact, began: Instant) -> Seen {
    patience::Seen {
        spent: began.elapsed(),
        complete: gate::read(spec).is_some_and(|status| status.is_complete(spec)),
        waiting: contact.waiting_since().map(|since| since.elapsed()),
        failed: contact.has_failed(),
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

    fn spec(state: &str, mode: &str) -> Spec {
        let spec = json!({
            "version": 1, "directory": "/nowhere", "mode": mode, "state": state,
            "files": [{"path": "a", "from": "file:/a"}],
        });
        serde_json::from_value(spec).expect("a configuration")
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_the_first_try_within_three_seconds_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Root::new(Some(folder.path().to_path_buf()));
        let spec = spec("/state/agent", "sidecar");
        let contact = Contact::default();
        let _attempt = contact.begin();
        let began = Instant::now();
        let lost = lost(FirstTry::of(&spec, &root), &spec, &contact).await;
        assert_eq!(lost.class, Class::Unreachable);
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert!(FirstTry::of(&spec, &root).is_none(), "it is not remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_goes_on_if_somebody_answers_or_it_cannot_be_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Root::new(Some(folder.path().to_path_buf()));
        let good = spec("/state", "sidecar");
        let goes_on = async |spec: &Spec, contact: &Contact| {
            let first = FirstTry::of(spec, &root);
            assert!(first.is_some());
            timeout(LONG, lost(first, spec, contact)).await.is_err()
        };
        assert!(goes_on(&good, &Contact::default()).await, "nothing was waited for");
        let refused = Contact::default();
        let _waiting = refused.begin();
        refused.begin().ended(false);
        assert!(goes_on(&good, &refused).await, "a connection was refused");
        File::create(folder.path().join("file")).expect("a file");
        let silent = Contact::default();
        let _waiting = silent.begin();
        assert!(goes_on(&spec("/file/state", "sidecar"), &silent).await, "it cannot be remembered");
    }

    #[test]
    fn only_what_is_started_again_at_once_has_a_first_try() {
        let root = Root::new(Some("/nowhere".into()));
        for mode in ["init", "parallel"] {
            assert!(FirstTry::of(&spec("/state", mode), &root).is_none(), "{mode}");
        }
    }
}
