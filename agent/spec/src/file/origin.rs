//! What an entry is made from: one secret, or a template of some.

use std::slice;

use crate::{reference::Reference, template::Template};

/// So many references stand for a template where people read of it.
const MOST_NAMED: usize = 3;

/// What an entry is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A secret, or a key of it.
    Secret(Reference),
    /// A text with secrets in it.
    Template(Template),
}

impl Origin {
    /// Everything that is read for it; never nothing. Whoever judges, fetches or counts what an entry reads asks this.
    pub fn references(&self) -> &[Reference] {
        match self {
            Self::Secret(reference) => slice::from_ref(reference),
            Self::Template(template) => template.references(),
        }
    }

    /// The one reference, if it is no template.
    pub fn secret(&self) -> Option<&Reference> {
        match self {
            Self::Secret(reference) => Some(reference),
            Self::Template(_) => None,
        }
    }

    /// What it is called where people read it.
    pub fn label(&self) -> String {
        let names: Vec<String> =
            self.references().iter().take(MOST_NAMED).map(Reference::label).collect();
        let more = if self.references().len() > MOST_NAMED { ", …" } else { "" };
        match self {
            Self::Secret(_) => names.concat(),
            Self::Template(_) => format!("template({}{more})", names.join(", ")),
        }
    }
}

impl From<Reference> for Origin {
    fn from(reference: Reference) -> Self {
        Self::Secret(reference)
    }
}

impl From<Template> for Origin {
    fn from(template: Template) -> Self {
        Self::Template(template)
    }
}
