//! `kubectl mayfly inject`: a manifest as it would be admitted, without a cluster.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use super::{FOUND, manifest};
use crate::args::ManifestArgs;

/// Prints the manifest as it would be admitted; nothing, when one of its pods would be denied.
pub(super) fn run(args: &ManifestArgs) -> anyhow::Result<ExitCode> {
    let Some(admitted) = manifest::admit(args)? else {
        return Ok(ExitCode::from(FOUND));
    };
    io::stdout().write_all(admitted.text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
