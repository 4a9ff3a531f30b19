//! `mayfly-webhook inject`, `explain` and `check-config`: what the server would say, without a cluster.
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
    args::{CheckConfigArgs, ExplainArgs, ExplainFormat, InjectArgs, OperatorArgs},
    config::Config,
    explain::Explanation,
    manifest::{self, Admitted, ManifestError},
    policy::Namespace,
};

/// The exit code of a manifest that would be denied, and of a configuration that would not be taken.
const DENIED: u8 = 2;

/// Prints the manifest as it would be admitted; nothing, when one of its pods would be denied.
pub fn inject(args: &InjectArgs) -> anyhow::Result<ExitCode> {
    let Some(admitted) = admit(args)? else {
        return Ok(ExitCode::from(DENIED));
    };
    io::stdout().write_all(admitted.text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Says what the manifest's pods will get, and the least that they have to be allowed.
pub fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let Some(admitted) = admit(&args.manifest)? else {
        return Ok(ExitCode::from(DENIED));
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

/// The manifest as it would be admitted, with its warnings told; nothing, with its faults told, when it would be denied.
fn admit(args: &InjectArgs) -> anyhow::Result<Option<Admitted>> {
    let config = config(&args.operator)?;
    let text = read(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let namespace = Namespace::named(&args.namespace);
    let mut stderr = io::stderr();
    let admitted = match manifest::admit(&config, &namespace, &text) {
        Ok(admitted) => admitted,
        Err(error @ ManifestError::Denied(_)) => {
            writeln!(stderr, "{error}")?;
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    for warning in &admitted.warnings {
        writeln!(stderr, "warning: {warning}")?;
    }
    Ok(Some(admitted))
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
