//! `mayfly-webhook inject`: a manifest as it would be admitted, without a cluster.
//!
//! EDGE: reads files and standard input, writes standard output. Decides nothing.

#![expect(clippy::disallowed_methods, reason = "the rim between manifests and the file system")]

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;

use crate::{
    args::{InjectArgs, OperatorArgs},
    config::Config,
    manifest::{self, ManifestError},
    policy::Namespace,
};

/// The exit code of a manifest that would be denied.
const DENIED: u8 = 2;

/// Prints the manifest as it would be admitted; nothing, when one of its pods would be denied.
pub fn inject(args: &InjectArgs) -> anyhow::Result<ExitCode> {
    let config = config(&args.operator)?;
    let text = read(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let namespace = Namespace::named(&args.namespace);
    let admitted = match manifest::admit(&config, &namespace, &text) {
        Ok(admitted) => admitted,
        Err(error @ ManifestError::Denied(_)) => {
            writeln!(io::stderr(), "{error}")?;
            return Ok(ExitCode::from(DENIED));
        }
        Err(error) => return Err(error.into()),
    };
    let mut stderr = io::stderr();
    for warning in admitted.warnings {
        writeln!(stderr, "warning: {warning}")?;
    }
    io::stdout().write_all(admitted.text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The operator's configuration, from the file and the arguments that precede it.
pub fn config(args: &OperatorArgs) -> anyhow::Result<Config> {
    let mut config = match &args.config {
        Some(file) => {
            let text =
                fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            Config::from_yaml(&text).with_context(|| format!("in {}", file.display()))?
        }
        None => Config::default(),
    };
    if let Some(image) = &args.agent_image {
        config.agent_image.clone_from(image);
    }
    Ok(config)
}

fn read(file: &Path) -> io::Result<String> {
    if file != Path::new("-") {
        return fs::read_to_string(file);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
