//! The search for entries of no use, now and then.
//!
//! EDGE.

use std::collections::BTreeSet;

use tokio::sync::{mpsc, watch};

use super::Picture;
use crate::{
    bundle::Der,
    event::{Event, Listener},
    pace::Jitter,
    sweep::Sweep,
    timing::{Timing, WallClock},
};

/// What is needed to search.
pub(super) struct Sweeping {
    pub(super) sweep: Sweep,
    pub(super) picture: watch::Receiver<Picture>,
    pub(super) found: mpsc::Sender<BTreeSet<Der>>,
    pub(super) clock: WallClock,
    pub(super) jitter: Jitter,
    pub(super) timing: Timing,
    pub(super) listener: Listener,
}

impl Sweeping {
    pub(super) async fn run(self) {
        loop {
            let pause = self.timing.sweep.mul_f64(0.5 + (self.jitter)());
            tokio::time::sleep(pause).await;
            let others = self.picture.borrow().others.clone();
            let (useless, fault) = self.sweep.useless(&others, (self.clock)()).await;
            if let Some(fault) = fault {
                (self.listener)(Event::Fault(fault.into()));
            }
            // The keeper ends with us.
            let _kept = self.found.send(useless).await;
        }
    }
}
