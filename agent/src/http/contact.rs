//! What is seen of connections while they are made: which still wait for an answer, and whether one
//! has failed. It only looks on.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower::{Layer, Service};

/// What was seen of all clients' connections.
#[derive(Debug, Clone, Default)]
pub struct Contact(Arc<Mutex<Connections>>);

#[derive(Debug, Default)]
struct Connections {
    begun: u64,
    waiting: BTreeMap<u64, Instant>,
    failed: bool,
}

impl Contact {
    /// Since when the connection is being made that has waited the longest.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.connections().waiting.values().min().copied()
    }

    /// Whether a connection was refused, or broke before it was agreed on.
    pub fn has_failed(&self) -> bool {
        self.connections().failed
    }

    /// Takes note that a connection is being made, until its end.
    pub(crate) fn begin(&self) -> Attempt {
        let mut connections = self.connections();
        connections.begun += 1;
        let number = connections.begun;
        connections.waiting.insert(number, Instant::now());
        Attempt { contact: self.clone(), number }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is being made. One that is given up is forgotten.
#[derive(Debug)]
pub(crate) struct Attempt {
    contact: Contact,
    number: u64,
}

impl Attempt {
    /// Takes note of its end.
    pub(crate) fn ended(self, well: bool) {
        self.contact.connections().failed |= !well;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.contact.connections().waiting.remove(&self.number);
    }
}

impl<S> Layer<S> for Contact {
    type Service = Watched<S>;

    fn layer(&self, connector: S) -> Watched<S> {
        Watched { connector, contact: self.clone() }
    }
}

/// A connector that is looked at.
#[derive(Debug, Clone)]
pub struct Watched<S> {
    connector: S,
    contact: Contact,
}

impl<S: Service<To>, To> Service<To> for Watched<S>
where
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, to: To) -> Self::Future {
        let attempt = self.contact.begin();
        let made = self.connector.call(to);
        Box::pin(async move {
            let made = made.await;
            attempt.ended(made.is_ok());
            made
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tower::service_fn;

    use super::*;

    #[tokio::test]
    async fn what_is_made_waits_until_it_is_made_refused_or_given_up() {
        let contact = Contact::default();
        let mut silent = contact.layer(service_fn(|()| pending::<Result<(), ()>>()));
        let waiting = silent.call(());
        assert!(contact.waiting_since().is_some());
        drop(waiting);
        assert_eq!((contact.waiting_since(), contact.has_failed()), (None, false));
        let mut good = contact.layer(service_fn(|()| ready(Ok::<(), ()>(()))));
        assert_eq!(good.call(()).await, Ok(()));
        assert_eq!((contact.waiting_since(), contact.has_failed()), (None, false));
        let mut refusing = contact.layer(service_fn(|()| ready(Err::<(), ()>(()))));
        assert_eq!(refusing.call(()).await, Err(()));
        assert_eq!((contact.waiting_since(), contact.has_failed()), (None, true));
    }
}
