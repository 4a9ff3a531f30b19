//! A file's text with secrets in it: what is read for it is known before anything is.
//!
//! ```text
//! text ─ Bounds ─→ tokens ─ minijinja ─→ syntax tree ─ Finder ─→ references, or one fault with its place
//! ```
//! `secret("<reference>")` and `secrets("<tree>/")` are called with the reference itself, as text, and with
//! nothing that is computed. This room knows the language's words; it renders nothing.

mod bounds;
mod delimiters;
mod error;
mod finder;
mod limits;
mod words;

use minijinja::machinery;

pub use delimiters::Delimiters;
pub use error::{Place, TemplateError, quote};
pub use limits::{LARGEST, LONGEST, MOST_REFERENCES};
pub use words::{FILTERS, FUNCTIONS, TESTS};

use crate::reference::Reference;
use finder::Finder;

/// The function that gives a secret, or one value of it.
pub const SECRET: &str = "secret";
/// The function that gives the secrets of a tree by their names.
pub const SECRETS: &str = "secrets";

/// A template that can be read, and everything that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    delimiters: Delimiters,
    references: Vec<Reference>,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: String, delimiters: Delimiters) -> Result<Self, TemplateError> {
        bounds::check(&text, delimiters)?;
        let tree = machinery::parse(&text, "", delimiters.syntax())
            .map_err(|error| TemplateError::syntax(&text, &error))?;
        let references = Finder::new(&text).references(&tree)?;
        drop(tree);
        Ok(Self { text, delimiters, references })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What parts its expressions from its text.
    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// What it reads, each once, in the order in which it is named; never nothing.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }
}

#[cfg(test)]
mod tests;
