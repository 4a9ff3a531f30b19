//! `kubectl mayfly explain`: what a manifest's pods will get, and the least that they have to be allowed.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use super::{FOUND, manifest};
use crate::{
    args::{ExplainArgs, ExplainFormat},
    explain::Explanation,
};

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let Some(admitted) = manifest::admit(&args.manifest)? else {
        return Ok(ExitCode::from(FOUND));
    };
    let explanation = Explanation::of(&admitted.pods)?;
    let mut stdout = io::stdout();
    match args.output {
        ExplainFormat::Text => write!(stdout, "{explanation}")?,
        ExplainFormat::Json => {
            writeln!(stdout, "{}", serde_json::to_string_pretty(&explanation)?)?;
        }
        ExplainFormat::Terraform => write!(stdout, "{}", explanation.terraform())?,
    }
    Ok(ExitCode::SUCCESS)
}
