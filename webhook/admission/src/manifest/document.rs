//! One YAML document: its text, its value, and the way back.
//!
//! PURE. Read as kubectl reads it, by YAML 1.1: `0400` is octal, `yes` is true. Written so that
//! readers of either version see the same.

use serde_json::Value;
use thiserror::Error;

use crate::settings::PREFIX;

/// A document that is not YAML.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct ParseError(#[from] serde_saphyr::Error);

/// A value that cannot be YAML.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct EmitError(#[from] serde_saphyr::ser::Error);

/// A line longer than any is never folded: what a person wrote on one line stays on one.
const NEVER_FOLD: usize = 1 << 30;

/// A document with the `---` before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Document<'a>(&'a str);

impl<'a> Document<'a> {
    /// Cuts a file before each line that begins a document; the parts together are the file.
    pub(super) fn split(text: &'a str) -> Vec<Self> {
        let mut documents = Vec::new();
        let (mut start, mut end) = (0, 0);
        for line in text.split_inclusive('\n') {
            if begins_document(line) && end > start {
                documents.push(Self(&text[start..end]));
                start = end;
            }
            end += line.len();
        }
        documents.push(Self(&text[start..]));
        documents
    }

    pub(super) fn text(&self) -> &'a str {
        self.0
    }

    /// Whether our prefix is anywhere in it. What has no field at all is nobody's document.
    pub(super) fn may_concern_us(&self) -> bool {
        self.leading().len() < self.0.len() && self.0.to_ascii_lowercase().contains(PREFIX)
    }

    pub(super) fn parse(&self) -> Result<Value, ParseError> {
        let options = serde_saphyr::options! {
            legacy_octal_numbers: true,
            strict_booleans: false,
        };
        Ok(serde_saphyr::from_str_with_options(self.0, options)?)
    }

    /// `value` in place of what was read, behind the comments that were before it.
    pub(super) fn emit(&self, value: &Value) -> Result<String, EmitError> {
        let options = serde_saphyr::ser_options! { folded_wrap_chars: NEVER_FOLD };
        let yaml = serde_saphyr::to_string_with_options(value, options)?;
        let leading = self.leading();
        // What stood behind the `---` on its line gets a line of its own.
        let marker = if begins_document(&self.0[leading.len()..]) { "---\n" } else { "" };
        Ok(format!("{leading}{marker}{yaml}"))
    }

    /// Blank lines, comments and a bare `---` before the first field.
    fn leading(&self) -> &'a str {
        let is_leading = |line: &&str| {
            let line = line.trim_start_matches('\u{feff}').trim();
            line.is_empty() || line.starts_with('#') || line == "---" || line.starts_with("--- #")
        };
        let lines = self.0.split_inclusive('\n').take_while(is_leading);
        let length = lines.map(str::len).sum();
        &self.0[..length]
    }
}

fn begins_document(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}
