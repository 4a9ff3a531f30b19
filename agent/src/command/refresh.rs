//! `refresh`: a running agent looks at once, and this tells what came of it.

use std::process::ExitCode;

use super::{Context, INTERNAL, exit};
use crate::{
    fault::Fault,
    files::Folder,
    memory,
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
            anstream::println!("everything is fresh, in generation {}", outcome.generation);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            anstream::eprintln!("mayfly-agent: {error}");
            Ok(exit(INTERNAL))
        }
    }
}
