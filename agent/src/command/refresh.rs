//! `refresh`: a running agent looks at once, and this tells what came of it.

use std::process::ExitCode;

use super::{Context, INTERNAL, exit};
use crate::{
    fault::Fault,
    files::Folder,
    memory, output,
    refresh::{self, RefreshError},
};

pub(super) async fn refresh(context: &Context) -> Result<ExitCode, Fault> {
    let path = memory::place(&context.spec, &context.root);
    let outcome = match Folder::open(&path)? {
        Some(folder) => refresh::ask(&folder).await,
        None => Err(RefreshError::NoAgent(path.display().to_string())),
    };
    match outcome {
        Ok(outcome) => {
            outcome.error.map_or(Ok(()), Err)?;
            let generation = outcome.generation;
            let words = format_args!("everything is fresh, in generation {generation}\n");
            Ok(output::result(words, ExitCode::SUCCESS))
        }
        Err(error) => {
            output::complain(format_args!("mayfly-agent: {error}"));
            Ok(exit(INTERNAL))
        }
    }
}
