//! The operator's configuration, from its file and the arguments that precede it.

#![expect(clippy::disallowed_methods, reason = "the configuration is a file")]

use std::fs;

use anyhow::Context;
use mayfly_admission::config::Config;

use crate::args::OperatorArgs;

/// What the webhook would decide by, if it were given these arguments.
pub(crate) fn config(args: &OperatorArgs) -> anyhow::Result<Config> {
    let config = match &args.config {
        Some(file) => {
            let name = file.display();
            let text = fs::read_to_string(file).with_context(|| format!("reading {name}"))?;
            Config::from_yaml(&text).with_context(|| format!("in {name}"))?
        }
        None => Config::default(),
    };
    Ok(config.with_agent_image(args.agent_image.as_deref()))
}
