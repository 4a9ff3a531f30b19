//! Names of hosts, looked up by the system's resolver: one look-up of a name at a time, however many
//! wait for it.
//!
//! A look-up cannot be cut short: it holds a thread until the resolver gives up. Twenty requests to a
//! name that nobody answers for hold one thread, not twenty, and no other name waits behind them.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{sync::watch, task::spawn_blocking};

type Found = Result<Vec<SocketAddr>, Arc<io::Error>>;

/// Looks names up, by itself or for a client.
#[derive(Debug, Clone)]
pub(super) struct Names {
    look_up: fn(&str) -> io::Result<Vec<SocketAddr>>,
    running: Arc<Mutex<BTreeMap<String, watch::Receiver<Option<Found>>>>>,
}

impl Names {
    /// With the system's resolver.
    pub(super) fn new() -> Self {
        Self::by(|name| Ok((name, 0).to_socket_addrs()?.collect()))
    }

    fn by(look_up: fn(&str) -> io::Result<Vec<SocketAddr>>) -> Self {
        Self { look_up, running: Arc::default() }
    }

    /// The addresses of `name`; their port has no meaning.
    pub(super) async fn find(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let mut found = self.running(name);
        let gone = |_| io::Error::other("the look-up was given up");
        let found = found.wait_for(Option::is_some).await.map_err(gone)?;
        match found.as_ref() {
            Some(Ok(addresses)) => Ok(addresses.clone()),
            Some(Err(error)) => Err(io::Error::new(error.kind(), error.clone())),
            None => Err(io::Error::other("the look-up has no end")),
        }
    }

    /// The look-up that is under way, or a new one.
    fn running(&self, name: &str) -> watch::Receiver<Option<Found>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = running.get(name).filter(|found| found.borrow().is_none()) {
            return found.clone();
        }
        let (sender, found) = watch::channel(None);
        let (look_up, wanted) = (self.look_up, name.to_owned());
        spawn_blocking(move || sender.send_replace(Some(look_up(&wanted).map_err(Arc::new))));
        running.insert(name.to_owned(), found.clone());
        found
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let found = names.find(name.as_str()).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
    };

    use futures_util::future::{join_all, poll_immediate};

    use super::*;

    static ASKED: AtomicUsize = AtomicUsize::new(0);
    static GIVEN_UP: Barrier = Barrier::new(2);

    /// Nobody answers for `dead`.
    fn look_up(name: &str) -> io::Result<Vec<SocketAddr>> {
        ASKED.fetch_add(1, Ordering::SeqCst);
        if name == "dead" {
            GIVEN_UP.wait();
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody answers"));
        }
        Ok(vec![([127, 0, 0, 1], 0).into()])
    }

    #[tokio::test]
    async fn a_dead_resolver_holds_one_look_up_and_no_other_name() {
        let names = Names::by(look_up);
        let mut waiting = Box::pin(join_all((0..20).map(|_| names.find("dead"))));
        assert!(poll_immediate(&mut waiting).await.is_none());
        assert_eq!(names.find("alive").await.expect("an address").len(), 1);
        thread::spawn(|| GIVEN_UP.wait());
        for found in waiting.await {
            assert_eq!(found.expect_err("nobody").kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(ASKED.load(Ordering::SeqCst), 2);
        // What is over is not answered again.
        thread::spawn(|| GIVEN_UP.wait());
        names.find("dead").await.expect_err("nobody");
        assert_eq!(ASKED.load(Ordering::SeqCst), 3);
    }
}
