//! `mayfly-agent refresh` asks a running agent to look at once, through a socket in the folder that
//! only the agent's own user may enter.
//!
//! Who asks connects and waits; the answer is the look's outcome, one line of JSON. This room carries
//! questions and answers; when is looked is the agent's affair.

use std::io;

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{mpsc, oneshot},
};

use crate::{fault::Fault, files::Folder};

/// The socket's name.
const NAME: &str = "refresh.sock";
/// So many may wait for an answer; others wait to be heard.
const WAITING: usize = 16;
/// Longer than any answer.
const LONGEST: u64 = 1 << 20;

/// Somebody who waits for a look's outcome.
pub type Request = oneshot::Sender<Outcome>;

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outcome {
    /// The number of the present generation; 0 if there is none yet.
    pub generation: u64,
    /// Why not everything could be read and written.
    pub error: Option<Fault>,
}

/// Where an agent finds who asks it.
#[derive(Debug)]
pub struct Inbox(Option<mpsc::Receiver<Request>>);

impl Inbox {
    /// Of an agent that nobody asks.
    pub const fn closed() -> Self {
        Self(None)
    }

    /// Who asks next; never, if nobody will.
    pub async fn next(&mut self) -> Request {
        if let Some(requests) = &mut self.0 {
            if let Some(request) = requests.recv().await {
                return request;
            }
            self.0 = None;
        }
        std::future::pending().await
    }
}

/// A way to put requests into an agent's inbox.
pub fn inbox() -> (mpsc::Sender<Request>, Inbox) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (sender, Inbox(Some(receiver)))
}

/// An agent that did not answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// Nobody listens.
    #[error("no agent listens in `{0}`; is one running that keeps its files fresh?")]
    NoAgent(String),
    /// It went away.
    #[error("the agent ended before it had looked")]
    Ended,
    /// The socket cannot be used.
    #[error("the agent cannot be asked: {0}")]
    Socket(#[from] io::Error),
}

/// A socket that the agent listens on as long as it lives.
#[derive(Debug)]
pub struct Listener(UnixListener);

impl Listener {
    /// Listens in `folder`, in place of an agent that is no more.
    pub fn bind(folder: &Folder) -> io::Result<Self> {
        folder.remove(NAME);
        UnixListener::bind(folder.short_path(NAME)).map(Self)
    }

    /// Hands on who asks, and answers; never ends.
    pub async fn serve(self, agent: mpsc::Sender<Request>) {
        let mut answering = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.0.accept(), if answering.len() < WAITING => match accepted {
                    Ok((stream, _)) => answering.push(answer(stream, agent.clone())),
                    // Out of descriptors, most likely; one is free when somebody has been answered.
                    Err(_) => tokio::task::yield_now().await,
                },
                Some(()) = answering.next() => {}
            }
        }
    }
}

async fn answer(mut stream: UnixStream, agent: mpsc::Sender<Request>) {
    let (request, outcome) = oneshot::channel();
    if agent.send(request).await.is_err() {
        return;
    }
    let Ok(outcome) = outcome.await else { return };
    if let Ok(json) = serde_json::to_vec(&outcome) {
        // Who has gone away needs no answer.
        let _ = stream.write_all(&json).await;
        let _ = stream.shutdown().await;
    }
}

/// Asks the agent that keeps its state in `folder`, and waits until it has looked.
pub async fn ask(folder: &Folder) -> Result<Outcome, RefreshError> {
    let stream = UnixStream::connect(folder.short_path(NAME)).await;
    let stream = stream.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            RefreshError::NoAgent(folder.path().display().to_string())
        }
        _ => error.into(),
    })?;
    let mut json = Vec::new();
    stream.take(LONGEST).read_to_end(&mut json).await?;
    serde_json::from_slice(&json).map_err(|_| RefreshError::Ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Class;

    #[tokio::test]
    async fn who_asks_gets_the_outcome() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::make(&place.path().join("a".repeat(120))).expect("a folder");
        assert!(matches!(ask(&folder).await, Err(RefreshError::NoAgent(_))));
        let (sender, mut inbox) = inbox();
        let listener = Listener::bind(&folder).expect("a socket");
        let outcome =
            Outcome { generation: 7, error: Some(Fault::new(Class::Missing, "no such secret")) };
        let agent = async {
            let requests = [inbox.next().await, inbox.next().await];
            for request in requests {
                request.send(outcome.clone()).expect("somebody waits");
            }
            std::future::pending::<()>().await;
        };
        let asked = async { tokio::join!(ask(&folder), ask(&folder)) };
        tokio::select! {
            () = listener.serve(sender) => unreachable!("it never ends"),
            () = agent => unreachable!("it never ends"),
            (one, other) = asked => {
                assert_eq!(one.expect("an answer"), outcome);
                assert_eq!(other.expect("an answer"), outcome);
            }
        }
        assert!(matches!(ask(&folder).await, Err(RefreshError::NoAgent(_))));
    }
}
