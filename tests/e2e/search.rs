//! The search for secrets in files: each as it is and in base64, which looks different at each of three offsets.
//! It is `grep`'s work, which is quick, and reads what it looks for from a pipe, so that it is nowhere in turn.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use mayfly_tests::lab::program::Program;

/// What is looked for, in all its spellings.
#[derive(Debug)]
pub(crate) struct Search(String);

impl Search {
    /// A search for each of `secrets`.
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut lines = String::new();
        for secret in secrets {
            for spelling in spellings(secret) {
                lines += &spelling;
                lines.push('\n');
            }
        }
        Self(lines)
    }

    /// The files below `roots` that hold any of it, whatever is mounted there. Links are not followed, pipes not read.
    pub(crate) async fn below(&self, roots: &[&Path]) -> Result<Vec<PathBuf>> {
        ensure!(!self.0.is_empty(), "there is nothing to look for");
        let grep = Program::new("grep").env("LC_ALL", "C");
        let grep = grep.args(["--recursive", "--text", "--fixed-strings", "--no-messages"]);
        let grep = grep.args(["--files-with-matches", "--devices=skip", "--null", "--file=-"]);
        let output = grep.args(roots).input(self.0.clone()).output().await?;
        // 2 is also for a file that has gone away meanwhile.
        ensure!(output.status.code() <= Some(2), "grep ended with {}", output.status);
        let names = String::from_utf8(output.stdout).context("read grep's answer")?;
        Ok(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
    }

    /// Whether a text holds any of it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.0.lines().any(|spelling| text.contains(spelling))
    }
}

/// The secret itself, and what of its base64 does not depend on its neighbours, at each offset.
fn spellings(secret: &str) -> [String; 4] {
    let encoded = |offset: usize| {
        let shifted = "\0".repeat(offset) + secret;
        let whole = BASE64.encode(&shifted);
        // The first characters mix in what is before, the last one what is after.
        let (begin, end) = ((offset * 8).div_ceil(6), shifted.len() * 8 / 6);
        whole[begin..end].to_owned()
    };
    [secret.to_owned(), encoded(0), encoded(1), encoded(2)]
}
