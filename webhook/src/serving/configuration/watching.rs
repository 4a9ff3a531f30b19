//! The watch of namespaces, as long as the configuration needs it.
//!
//! EDGE: a task of its own.

use std::{path::PathBuf, sync::Arc, time::Duration};

use kube::runtime::watcher;
use tokio_util::task::AbortOnDropHandle;

use crate::{cluster, namespaces::Namespaces, server::Metrics};

/// The pause before an API server is looked for again.
const PAUSE: Duration = Duration::from_secs(10);

/// Kubernetes' code for what a right is missing for.
const FORBIDDEN: u16 = 403;

/// The watch that may run.
#[derive(Debug)]
pub(in crate::serving) struct Watching {
    kubeconfig: Option<PathBuf>,
    task: Option<AbortOnDropHandle<()>>,
}

impl Watching {
    /// No watch yet; one would go to the API server of `kubeconfig`.
    pub(in crate::serving) fn new(kubeconfig: Option<PathBuf>) -> Self {
        Self { kubeconfig, task: None }
    }

    /// Begins to watch, unless it has begun.
    pub(super) fn start(&mut self, namespaces: &Namespaces, metrics: &Arc<Metrics>) {
        let watch = || {
            let (namespaces, metrics) = (namespaces.clone(), Arc::clone(metrics));
            AbortOnDropHandle::new(tokio::spawn(run(self.kubeconfig.clone(), namespaces, metrics)))
        };
        if self.task.is_none() {
            self.task = Some(watch());
        }
    }

    /// Stops watching, and forgets.
    pub(super) fn stop(&mut self, namespaces: &Namespaces) {
        if self.task.take().is_some() {
            namespaces.forget();
        }
    }
}

async fn run(kubeconfig: Option<PathBuf>, namespaces: Namespaces, metrics: Arc<Metrics>) {
    let mut told = String::new();
    let mut tell = |error: String| {
        metrics.namespaces_failed();
        // A fault that lasts is told once.
        if told != error {
            tracing::error!(%error, "the namespaces cannot be watched");
            told = error;
        }
    };
    loop {
        match cluster::client(kubeconfig.as_deref()).await {
            Ok(client) => namespaces.watch(client, |error| tell(explain(&error))).await,
            Err(error) => tell(format!("{error:#}")),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The chain of causes, and the right that is missing if one is.
fn explain(error: &watcher::Error) -> String {
    use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
    let status = match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | WatchError(status) => Some(status),
        _ => None,
    };
    match status {
        Some(status) if status.code == FORBIDDEN => format!(
            "{}; the configuration needs labels or annotations of namespaces: let the webhook's service account get, list and watch `namespaces` (ClusterRole `mayfly-webhook-namespaces`)",
            status.message
        ),
        Some(status) => status.message.clone(),
        None => error.to_string(),
    }
}
