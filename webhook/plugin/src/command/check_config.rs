//! `kubectl mayfly check-config`: whether the webhook would take a configuration, and what in it is hardly meant.

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
    match Config::check(&text) {
        Ok((_, doubts)) => {
            for doubt in doubts {
                writeln!(io::stderr(), "{}: warning: {doubt}", file.display())?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            writeln!(io::stderr(), "{}: {error}", file.display())?;
            Ok(ExitCode::from(FOUND))
        }
    }
}
