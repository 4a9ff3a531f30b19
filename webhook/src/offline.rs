//! `mayfly-webhook inject` and `check-config`: what the server would say, without a cluster.
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
    args::{CheckConfigArgs, InjectArgs, OperatorArgs},
    config::Config,
    manifest::{self, ManifestError},
    policy::Namespace,
};

/// The exit code of a manifest that would be denied, and of a configuration that would not be taken.
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

/// Says whether a configuration would be taken, or prints the schema that it has to have.
pub fn check_config(args: &CheckConfigArgs) -> anyhow::Result<ExitCode> {
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
            Ok(ExitCode::from(DENIED))
        }
    }
}

/// The operator's configuration, from the file and the arguments that precede it.
pub fn config(args: &OperatorArgs) -> anyhow::Result<Config> {
    let text = match &args.config {
        Some(file) => {
            fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?
        }
        None => String::new(),
    };
    parse(args, &text)
}

/// The operator's configuration in `text`, under the arguments that precede it.
pub fn parse(args: &OperatorArgs, text: &str) -> anyhow::Result<Config> {
    let mut config = match (Config::from_yaml(text), &args.config) {
        (Ok(config), _) => config,
        (Err(error), Some(file)) => {
            return Err(error).with_context(|| format!("in {}", file.display()));
        }
        (Err(error), None) => return Err(error.into()),
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
