//! Why a secret is no JSON, or not the JSON that is wanted, in words that hold nothing of it.

use std::fmt;

use thiserror::Error;

/// A place in a text: a line and a column, both from 1, the column in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    line: usize,
    column: usize,
}

/// Why a secret is no JSON. Each is a whole clause about "the secret".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Bytes that are no UTF-8.
    #[error("the secret is binary, no JSON")]
    Binary,
    /// Nothing, or text that does not even begin as an object or a list. Of a password no place is told.
    #[error("the secret is plain text, no JSON")]
    Text,
    /// A byte order mark before the first character.
    #[error(
        "the secret begins with a byte order mark (U+FEFF), which JSON has not; store it without"
    )]
    ByteOrderMark,
    /// One half of a character beyond the first plane.
    #[error(
        "the secret is broken JSON: a lone surrogate (one of `\\ud800` to `\\udfff` without its other half) at {0}"
    )]
    LoneSurrogate(Place),
    /// Nested too deeply.
    #[error("the secret is JSON nested deeper than 128 levels at {0}")]
    Deep(Place),
    /// Anything else.
    #[error("the secret is broken JSON: {what} at {place}")]
    Broken {
        /// The parser's words.
        what: String,
        /// Where it stopped.
        place: Place,
    },
}

/// Why a secret is no JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoObject {
    /// It is no JSON at all.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is something else.
    #[error("the secret is a JSON {0}, no object")]
    Other(&'static str),
}

impl Place {
    /// The place of the byte at `offset` in `text`.
    pub(super) fn at(text: &str, offset: usize) -> Self {
        let before = &text[..offset];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Self { line: before.matches('\n').count() + 1, column: offset - start + 1 }
    }

    /// This place in a text that begins at `start`.
    fn after(self, start: Self) -> Self {
        match self.line {
            0 | 1 => Self { line: start.line, column: start.column + self.column.max(1) - 1 },
            line => Self { line: start.line + line - 1, column: self.column },
        }
    }
}

impl JsonError {
    /// What the parser said of a part of the text that begins at `start`.
    pub(super) fn new(error: &serde_json::Error, start: Place) -> Self {
        let place = Place { line: error.line(), column: error.column() }.after(start);
        let told = error.to_string();
        let what = told.split(" at line ").next().unwrap_or_default();
        if what.contains("surrogate") || what == "unexpected end of hex escape" {
            return Self::LoneSurrogate(place);
        }
        // Only these two classes speak of the syntax alone; others may repeat a value.
        let is_syntax = error.is_syntax() || error.is_eof();
        let what = if is_syntax { what.to_owned() } else { "something unexpected".to_owned() };
        Self::Broken { what, place }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
