//! `run` and `once`: the agent at work until it is done, fails, or is asked to end.

use std::{
    pin::{Pin, pin},
    process::ExitCode,
};

use mayfly_spec::spec::{Mode, Start};
use tracing::{error, info, warn};

use super::{Context, INTERNAL, exit};
use crate::{
    agent::{Agent, Task, take_volume},
    args::Gate,
    closing,
    fault::Fault,
    files::Folder,
    first_try::{FirstTry, lost},
    hardening, memory,
    refresh::{self, Inbox, Listener},
    shutdown,
    source::{Backends, Leased},
};

pub(super) async fn run(
    context: Result<Context, Fault>,
    task: Task,
    gate: Option<Gate>,
) -> Result<ExitCode, Fault> {
    let asked = match shutdown::asked() {
        Ok(asked) => asked,
        Err(error) => {
            error!(%error, "signals cannot be listened for");
            return Ok(exit(INTERNAL));
        }
    };
    let mut asked = pin!(asked);
    let ended = match &context {
        Ok(context) => work(context, task, asked.as_mut()).await,
        Err(fault) => Err(fault.clone()),
    };
    if let (Err(fault), Some(Gate::Hook)) = (&ended, gate) {
        let context = context.as_ref().ok();
        let folder = context.map(|context| memory::place(&context.spec, &context.root));
        let start = context.map_or_else(Start::default, |context| context.spec.start);
        closing::stay(folder.as_deref(), fault, start.deadline.duration(), asked).await;
    }
    ended.map(|()| ExitCode::SUCCESS)
}

async fn work(
    context: &Context,
    task: Task,
    asked: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), Fault> {
    let Context { spec, root, aws, clock } = context;
    // An init container ends when its files are complete, whatever it was told.
    let task = if spec.mode == Some(Mode::Init) { Task::Once } else { task };
    let volume = take_volume(spec)?;
    let folder = memory::take(&memory::place(spec, root))?;
    hardening::warn_of_swap(&spec.directory);
    let backends = Backends::new(spec, root, aws.clone())?;
    let first = FirstTry::of(spec, &folder);
    let mut agent = Agent::new(spec, &backends, &volume, &folder, clock, fastrand::f64)?;
    let (listening, mut inbox) = listen(&folder, task);
    let ended = tokio::select! {
        biased;
        () = asked => {
            info!("asked to end");
            Ok(())
        }
        ended = agent.work(task, &mut inbox) => ended,
        fault = lost(first, spec, backends.contact()) => Err(fault),
        () = listening => Ok(()),
        never = backends.run_errands() => match never {},
    };
    if gives_back(spec.mode) {
        // What `once` has written is used from now on.
        let leased = if task == Task::Once { Leased::Stays } else { Leased::Ends };
        backends.give_back(leased).await;
    }
    ended
}

/// Hands on who asks for a look; never ends. An agent that ends by itself is not asked.
fn listen(folder: &Folder, task: Task) -> (impl Future<Output = ()>, Inbox) {
    let bound = (task == Task::KeepFresh).then(|| Listener::bind(folder));
    let (requests, inbox) = refresh::inbox();
    let listener = bound.and_then(|bound| {
        let failed = |error| warn!(%error, "nobody can ask for a look: `refresh` has no socket");
        bound.map_err(failed).ok()
    });
    let serving = async move {
        match listener {
            Some(listener) => listener.serve(requests).await,
            None => std::future::pending().await,
        }
    };
    (serving, inbox)
}

/// In `init` and `parallel` the app may outlive the agent and still need what was leased for it.
fn gives_back(mode: Option<Mode>) -> bool {
    matches!(mode, None | Some(Mode::Sidecar))
}
