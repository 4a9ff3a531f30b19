//! `run` and `once`: the agent at work until it is done, fails, or is asked to end.

use std::process::ExitCode;

use mayfly_spec::spec::Mode;
use tracing::{error, info};

use super::{Context, INTERNAL, exit};
use crate::{
    agent::{Agent, Task, take_volume},
    fault::Fault,
    first_try::{FirstTry, lost},
    hardening, shutdown,
    source::{Backends, Leased},
};

pub(super) async fn run(context: &Context, task: Task) -> Result<ExitCode, Fault> {
    let Context { spec, root, aws, clock } = context;
    let asked = match shutdown::asked() {
        Ok(asked) => asked,
        Err(error) => {
            error!(%error, "signals cannot be listened for");
            return Ok(exit(INTERNAL));
        }
    };
    // An init container ends when its files are complete, whatever it was told.
    let task = if spec.mode == Some(Mode::Init) { Task::Once } else { task };
    let volume = take_volume(spec)?;
    hardening::warn_of_swap(&spec.directory);
    let backends = Backends::new(spec, root, aws.clone())?;
    let first = FirstTry::of(spec, root);
    let mut agent = Agent::new(spec, &backends, &volume, clock, fastrand::f64);
    let ended = tokio::select! {
        biased;
        () = asked => {
            info!("asked to end");
            Ok(())
        }
        ended = agent.work(task) => ended,
        fault = lost(first, spec, backends.contact()) => Err(fault),
    };
    if gives_back(spec.mode) {
        // What `once` has written is used from now on.
        let leased = if task == Task::Once { Leased::Stays } else { Leased::Ends };
        backends.give_back(leased).await;
    }
    ended.map(|()| ExitCode::SUCCESS)
}

/// In `init` and `parallel` the app may outlive the agent and still need what was leased for it.
fn gives_back(mode: Option<Mode>) -> bool {
    matches!(mode, None | Some(Mode::Sidecar))
}
