//! The demo: the whole way from an annotated pod to refreshed files, on this machine.
//!
//! ```text
//! story ─┬─ webhook    the real program, asked as the API server asks it
//!        ├─ kubelet    makes the pod's volumes, and runs the real agent as the patch says
//!        ├─ backends   AWS and Vault, played by the secret server
//!        └─ stage      what a person sees, and how many steps were verified
//! programs, child, ground       what is built, what runs, what is on the disk
//! ```
//!
//! Invariant: whatever the end, every program that was started has ended, and the folder is gone.
//! Invariant: the exit code is 0 only if every step was verified.
#![expect(
    clippy::disallowed_methods,
    reason = "the demo starts programs, makes files and reads the clock"
)]

mod backends;
mod child;
mod difference;
mod files;
mod ground;
mod kubelet;
mod pod;
mod programs;
mod stage;
mod story;
mod webhook;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use self::{child::Cast, ground::Ground, stage::Stage, story::Story};

/// Runs the demo.
pub fn main() -> ExitCode {
    let mut stage = Stage::default();
    let performed = perform(&mut stage);
    stage.close(performed)
}

fn perform(stage: &mut Stage) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(async {
        let ground = Ground::new()?;
        stage.keeps_logs_in(ground.logs());
        let mut cast = Cast::default();
        let played = tokio::select! {
            played = Story { stage, cast: &mut cast, ground: &ground }.play() => played,
            interrupted = interruption() => interrupted,
        };
        cast.leave().await;
        let cleared = ground.clear();
        played.and(cleared)
    })
}

async fn interruption() -> Result<()> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let (mut interrupt, mut terminate) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    bail!("interrupted")
}
