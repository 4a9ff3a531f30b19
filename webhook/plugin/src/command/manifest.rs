//! A manifest from a file or standard input, as it would be admitted.

#![expect(clippy::disallowed_methods, reason = "the rim between manifests and the file system")]

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
};

use anyhow::Context;
use mayfly_admission::{
    manifest::{self, Admitted, ManifestError},
    policy::Namespace,
};

use crate::{args::ManifestArgs, operator};

/// The manifest as it would be admitted, with its warnings told; nothing, with its faults told, when it would be denied.
pub(super) fn admit(args: &ManifestArgs) -> anyhow::Result<Option<Admitted>> {
    let config = operator::config(&args.operator)?;
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

/// The text of a file; `-` is standard input.
pub(super) fn read(file: &Path) -> io::Result<String> {
    if file != Path::new("-") {
        return fs::read_to_string(file);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
