//! What can be wrong with a template, each with its place and what to write instead.

use std::fmt;

use thiserror::Error;

use super::limits::{LONGEST, MOST_REFERENCES};
use crate::{reference::ReferenceError, suggestion::Suggestion};

/// So many characters of a template's own words are quoted.
const LONGEST_QUOTE: usize = 80;

/// A template that cannot be. The message quotes the template's own words, which are not secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Longer than [`LONGEST`].
    #[error("the template is {0} bytes long; allowed: {LONGEST}")]
    Long(usize),
    /// Nothing is read for it.
    #[error(
        "the template names no secret; write `secret(\"<reference>\")` in it, or keep a file without secrets in a ConfigMap"
    )]
    Nothing,
    /// More than [`MOST_REFERENCES`].
    #[error("{0}: one reference too many; allowed in one template: {MOST_REFERENCES}")]
    References(Place),
    /// A tag of more parts than anybody writes.
    #[error("{0}: too much in one expression or statement; part it with `set`")]
    Tag(Place),
    /// More expressions and statements than are read.
    #[error("{0}: too many expressions and statements; part it into several files")]
    Tags(Place),
    /// A value that has others in it too often.
    #[error("{0}: a value of too many parts; put fewer lists into lists")]
    Parts(Place),
    /// A loop that calls itself.
    #[error("{0}: `recursive` is not known here; write the inner loop out")]
    Recursive(Place),
    /// Too many alternatives of one condition, which are nested for the reader.
    #[error("{0}: too many `elif`; a mapping does the same")]
    Branches(Place),
    /// No template.
    #[error("{0}: {1}")]
    Syntax(Place, String),
    /// A reference that is not written out.
    #[error(
        "{0}: `{1}` takes one reference, written out in quotes, so that it is known before the pod starts; what is computed is refused"
    )]
    Computed(Place, &'static str),
    /// `secret` or `secrets` as anything but a call.
    #[error("{0}: `{1}` can only be called, with one reference in quotes")]
    Uncalled(Place, String),
    /// Text that is no reference.
    #[error("{0}: {1}")]
    Reference(Place, ReferenceError),
    /// A tree for one secret.
    #[error("{0}: `{1}` names a tree; write `secrets(\"{1}\")`")]
    Tree(Place, String),
    /// One secret for a tree.
    #[error(
        "{0}: `{1}` names no tree (a path of `aws-ssm` that ends in `/`); write `secret(\"{1}\")`"
    )]
    NoTree(Place, String),
    /// A word that the language does not have.
    #[error("{place}: there is no {kind} `{word}`{suggestion}")]
    Unknown {
        /// Where.
        place: Place,
        /// What it would have been.
        kind: &'static str,
        /// As written.
        word: String,
        /// The nearest that there is.
        suggestion: Suggestion,
    },
    /// Escaping that is not said where it happens.
    #[error("{0}: `autoescape` is not known here; say it at each value, for example `| escape`")]
    AutoEscape(Place),
}

impl TemplateError {
    pub(super) fn syntax(text: &str, error: &minijinja::Error) -> Self {
        let start = error.range().map_or(0, |range| range.start);
        let words = error.detail().unwrap_or("it cannot be read");
        Self::Syntax(Place::of(text, start), quote(words))
    }
}

/// A template's own words, on one line and not too many of them.
pub fn quote(words: &str) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut letters = words.chars().map(plain);
    let mut quoted: String = letters.by_ref().take(LONGEST_QUOTE).collect();
    quoted.extend(letters.next().map(|_| '…'));
    quoted
}

/// A place in a template, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl Place {
    /// The place of the byte `offset` of `text`.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        Self { line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
