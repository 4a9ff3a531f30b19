//! Handshakes with our own port: soon after each change, and now and then.
//!
//! EDGE.

use std::sync::Arc;

use tokio::sync::watch;

use super::Picture;
use crate::{
    event::{Event, Listener},
    proof::{Prover, Trust},
    standing::Standing,
    timing::Timing,
};

/// What is needed to prove ourselves.
pub(super) struct Proving {
    pub(super) prover: Prover,
    pub(super) picture: watch::Receiver<Picture>,
    pub(super) standing: Arc<Standing>,
    pub(super) listener: Listener,
    pub(super) timing: Timing,
}

impl Proving {
    pub(super) async fn run(mut self) {
        let (mut pause, mut proven) = (self.timing.proof, false);
        loop {
            tokio::select! {
                Ok(()) = self.picture.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
            let Picture { trusted, serving, .. } = self.picture.borrow_and_update().clone();
            if !serving.is_some_and(|serving| trusted.contains(&serving)) {
                continue;
            }
            let outcome = (self.prover)(Trust::Roots(trusted)).await;
            self.standing.proven(outcome.is_ok());
            match outcome {
                Ok(()) if proven => pause = self.timing.proof,
                Ok(()) => {
                    (pause, proven) = (self.timing.proof, true);
                    (self.listener)(Event::Proven);
                }
                Err(error) => {
                    (pause, proven) = (self.timing.second_proof, false);
                    (self.listener)(Event::Fault(error.into()));
                }
            }
        }
    }
}
