//! The cluster's namespaces as far as rules need them: a watch that keeps labels and defaults.
//!
//! EDGE. The watch runs beside the reviews, which only ever look at what it has brought; a review
//! waits a moment for a namespace that was made just before its pod, and asks nobody.

use std::{
    pin::pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1;
use kube::{
    Api, Client,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event},
    },
};
use tokio::sync::watch;

use mayfly_admission::policy::{Directory, Namespace};

/// How long a review waits for a namespace that is not known yet: an event's way through the API
/// server takes milliseconds, and a review has five seconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of a cluster's namespaces, for everybody who holds a clone.
#[derive(Debug, Clone)]
pub struct Namespaces {
    /// Nothing until all of them are known.
    known: Arc<RwLock<Option<Arc<Directory>>>>,
    /// Rung at every change.
    bell: Arc<watch::Sender<()>>,
}

impl Default for Namespaces {
    fn default() -> Self {
        Self { known: Arc::default(), bell: Arc::new(watch::Sender::new(())) }
    }
}

/// One namespace as the watch brings it.
type Met = PartialObjectMeta<v1::Namespace>;

impl Namespaces {
    /// Those that are known now; none, as long as not all are.
    pub fn directory(&self) -> Arc<Directory> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone().unwrap_or_default()
    }

    /// Whether all are known.
    pub fn are_known(&self) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Waits until all are known.
    pub async fn known(&self) {
        self.until(|| self.are_known()).await;
    }

    /// Waits a moment for the namespace `name`; whether it is known then.
    pub async fn appears(&self, name: &str) -> bool {
        let appears = self.until(|| self.directory().contains(name));
        tokio::time::timeout(PATIENCE, appears).await.is_ok()
    }

    async fn until(&self, holds: impl Fn() -> bool) {
        let mut bell = self.bell.subscribe();
        while !holds() {
            // The other end is in `self`.
            let _rung = bell.changed().await;
        }
    }

    /// Knows exactly `all` of them.
    pub fn learn(&self, all: impl IntoIterator<Item = Namespace>) {
        let mut directory = Directory::default();
        all.into_iter().for_each(|one| directory.insert(one));
        self.replace(Some(directory));
    }

    /// Forgets them all, because nobody needs to know them any more.
    pub fn forget(&self) {
        self.replace(None);
    }

    /// Watches them through `client`, for ever; `report` hears what goes wrong, and then the watch is
    /// tried again.
    pub async fn watch(&self, client: Client, report: impl FnMut(watcher::Error)) {
        let api = Api::<Met>::all(client);
        let events = watcher::watcher(api, watcher::Config::default()).default_backoff();
        self.follow(events, report).await;
    }

    async fn follow<E>(
        &self,
        events: impl Stream<Item = Result<Event<Met>, E>>,
        mut report: impl FnMut(E),
    ) {
        let (mut events, mut listed) = (pin!(events), Directory::default());
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed = Directory::default(),
                Ok(Event::InitApply(one)) => listed.insert(read(one)),
                Ok(Event::InitDone) => self.replace(Some(std::mem::take(&mut listed))),
                Ok(Event::Apply(one)) => self.change(|directory| directory.insert(read(one))),
                Ok(Event::Delete(one)) => {
                    let name = one.metadata.name.unwrap_or_default();
                    self.change(|directory| directory.remove(&name));
                }
                Err(error) => report(error),
            }
        }
    }

    fn replace(&self, directory: Option<Directory>) {
        let directory = directory.map(Arc::new);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = directory;
        self.bell.send_replace(());
    }

    /// A copy is changed: its namespaces are shared, and a review may be looking at the old one.
    fn change(&self, change: impl FnOnce(&mut Directory)) {
        let mut directory = Directory::clone(&self.directory());
        change(&mut directory);
        self.replace(Some(directory));
    }
}

fn read(one: Met) -> Namespace {
    let metadata = one.metadata;
    Namespace::new(
        metadata.name.as_deref().unwrap_or_default(),
        metadata.labels.unwrap_or_default(),
        metadata.annotations.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests;
