//! `kubectl mayfly check-config`: whether the webhook would take a configuration.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use mayfly_admission::config::Config;

use super::{FOUND, manifest::read};
use crate::args::CheckConfigArgs;

/// Says whether a configuration would be taken, or prints the schema that it has to have.
pub(super) fn run(args: &CheckConfigArgs) -> anyhow::Result<ExitCode> {
    let Some(file) = &args.file else {
        let schema = serde_json::to_string_pretty(&Config::schema())?;
        writeln!(io::stdout(), "{schema}")?;
        return Ok(ExitCode::SUCCESS);
    };
    let text = read(file).with_context(|| format!("reading {}", file.display()))?;
    match Config::from_yaml(&text) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            writeln!(io::stderr(), "{}: {error}", file.display())?;
            Ok(ExitCode::from(FOUND))
        }
    }
}
