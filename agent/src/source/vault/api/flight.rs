//! Calls that make something, and that nobody may make twice at once: each goes on to its own end,
//! and whoever stops waiting finds its answer later.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use zeroize::Zeroizing;

use crate::source::vault::verdict::{ApiError, Body};

/// A call that is under way, or whose answer nobody has taken.
#[derive(Debug)]
struct Flight {
    asked: Instant,
    token: Option<Zeroizing<String>>,
    call: JoinHandle<Result<Body, ApiError>>,
}

type Slot = Rc<Mutex<Option<Flight>>>;

/// The calls, by what is made.
#[derive(Debug, Default)]
pub(super) struct Flights(RefCell<BTreeMap<String, Slot>>);

/// What came of a call.
#[derive(Debug)]
pub(in crate::source::vault) struct Landed {
    /// When it was made.
    pub(in crate::source::vault) asked: Instant,
    /// As whose holder.
    pub(in crate::source::vault) token: Option<Zeroizing<String>>,
    /// The answer.
    pub(in crate::source::vault) result: Result<Body, ApiError>,
}

impl Flights {
    /// Waits for the call that makes `what`: the one that is under way, or one that is begun now.
    pub(super) async fn join(
        &self,
        what: &str,
        token: Option<&str>,
        begin: impl FnOnce() -> JoinHandle<Result<Body, ApiError>>,
    ) -> Landed {
        let slot = self.0.borrow_mut().entry(what.to_owned()).or_default().clone();
        let mut flight = slot.lock().await;
        if let Some(landed) = landed(&mut flight, false).await {
            // What failed while nobody waited is tried anew.
            if landed.result.is_ok() {
                return landed;
            }
        }
        if flight.is_none() {
            let token = token.map(|token| Zeroizing::new(token.to_owned()));
            *flight = Some(Flight { asked: Instant::now(), token, call: begin() });
        }
        landed(&mut flight, true).await.unwrap_or_else(|| Landed {
            asked: Instant::now(),
            token: None,
            result: Err(ApiError::Garbage),
        })
    }

    /// Waits for all of them, but not longer than `limit`.
    pub(super) async fn land(&self, limit: Duration) -> Vec<Landed> {
        let deadline = Instant::now() + limit;
        let slots: Vec<Slot> = self.0.borrow().values().cloned().collect();
        let mut all = Vec::new();
        for slot in slots {
            // One that hangs holds back none of those that are there.
            let land = async { landed(&mut *slot.lock().await, true).await };
            all.extend(timeout_at(deadline, land).await.ok().flatten());
        }
        all
    }
}

/// The answer of the call in `flight`, if it is there or waited for. Who stops waiting leaves the
/// call where it is.
async fn landed(flight: &mut Option<Flight>, waits: bool) -> Option<Landed> {
    let Flight { call, .. } = flight.as_mut().filter(|it| waits || it.call.is_finished())?;
    let result = call.await.unwrap_or(Err(ApiError::Garbage));
    let Flight { asked, token, .. } = flight.take()?;
    Some(Landed { asked, token, result })
}
