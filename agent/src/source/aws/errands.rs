//! Work that nobody waits for: it is done beside whatever else the agent does.

use std::{cell::RefCell, convert::Infallible, fmt};

use futures_util::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::sync::Notify;

/// Errands that wait for somebody who runs them.
#[derive(Default)]
pub(super) struct Errands {
    waiting: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    bell: Notify,
}

impl Errands {
    /// Sends somebody on an errand.
    pub(super) fn send(&self, errand: impl Future<Output = ()> + 'static) {
        self.waiting.borrow_mut().push(Box::pin(errand));
        self.bell.notify_one();
    }

    /// Runs all errands, side by side, now and whenever one is sent.
    pub(super) async fn run(&self) -> Infallible {
        let mut running = FuturesUnordered::new();
        loop {
            running.extend(self.waiting.take());
            tokio::select! {
                () = self.bell.notified() => {}
                Some(()) = running.next() => {}
            }
        }
    }
}

impl fmt::Debug for Errands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errands")
            .field("waiting", &self.waiting.borrow().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future, rc::Rc};

    use futures_util::future::poll_immediate;

    use super::*;

    #[tokio::test]
    async fn one_that_hangs_holds_back_no_other() {
        let errands = Errands::default();
        let done = Rc::new(Cell::new(0));
        let one = |done: &Rc<Cell<u32>>| {
            let done = done.clone();
            async move { done.set(done.get() + 1) }
        };
        errands.send(future::pending());
        errands.send(one(&done));
        let mut running = Box::pin(errands.run());
        assert!(poll_immediate(&mut running).await.is_none());
        assert_eq!(done.get(), 1);
        errands.send(one(&done));
        assert!(poll_immediate(&mut running).await.is_none());
        assert_eq!(done.get(), 2);
    }
}
