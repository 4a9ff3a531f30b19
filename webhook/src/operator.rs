//! The operator's configuration, from its file and the arguments that precede it.
//!
//! EDGE: reads the file. What it means is [`mayfly_admission::config`]'s.

#![expect(clippy::disallowed_methods, reason = "the configuration is a file")]

use std::fs;

use anyhow::Context;
use mayfly_admission::config::Config;

use crate::args::OperatorArgs;

/// The configuration as it is now.
pub fn config(args: &OperatorArgs) -> anyhow::Result<Config> {
    let text = match &args.config {
        Some(file) => {
            fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?
        }
        None => String::new(),
    };
    parse(args, &text)
}

/// The configuration in `text`, under the arguments that precede it.
pub fn parse(args: &OperatorArgs, text: &str) -> anyhow::Result<Config> {
    let config = match (Config::from_yaml(text), &args.config) {
        (Ok(config), _) => config,
        (Err(error), Some(file)) => {
            return Err(error).with_context(|| format!("in {}", file.display()));
        }
        (Err(error), None) => return Err(error.into()),
    };
    Ok(config.with_agent_image(args.agent_image.as_deref()))
}
