//! `wait`: the gate, as a command.

use std::{process::ExitCode, time::Duration};

use mayfly_spec::spec::Mode;

use super::{Context, INTERNAL, exit};
use crate::{
    fault::Fault,
    gate::{self, Passage},
    memory, output,
};

pub(super) async fn wait(context: &Context, limit: Option<Duration>) -> Result<ExitCode, Fault> {
    let spec = &context.spec;
    let fault = match gate::wait(spec, &memory::place(spec, &context.root), limit).await {
        Passage::Open => return Ok(ExitCode::SUCCESS),
        Passage::Closed(fault) => fault,
    };
    let is_open_anyway = spec.mode == Some(Mode::Parallel);
    match fault {
        Some(fault) if is_open_anyway => {
            output::complain(format_args!("mayfly-agent: the app starts without secrets: {fault}"));
        }
        Some(fault) => return Err(fault),
        None if is_open_anyway => {
            output::complain("mayfly-agent: the app starts without secrets");
        }
        None => {
            let directory = spec.directory.display();
            output::complain(format_args!(
                "mayfly-agent: no complete files in `{directory}` yet, and no agent that says why; is it running?"
            ));
            return Ok(exit(INTERNAL));
        }
    }
    Ok(ExitCode::SUCCESS)
}
