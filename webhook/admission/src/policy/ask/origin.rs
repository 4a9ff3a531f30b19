//! Who chose a setting.
//!
//! PURE.

use crate::{
    request::Request,
    settings::{Annotation, Settings, of_namespace},
};

/// Who chose a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The pod's author.
    Author,
    /// The namespace's annotations.
    Namespace,
    /// The operator's configuration.
    Operator,
    /// Nobody: it is what Mayfly does unless told otherwise.
    Nobody,
}

impl Origin {
    /// Whose choice it is, where `is_set` looks for one.
    pub(super) fn of(request: &Request, is_set: impl Fn(&Settings) -> bool) -> Self {
        if is_set(&request.own) {
            Self::Author
        } else if is_set(&request.namespaces) {
            Self::Namespace
        } else if is_set(&request.settings) {
            Self::Operator
        } else {
            Self::Nobody
        }
    }

    /// The annotation that holds the choice, or would; nothing for the operator's.
    pub(super) fn place(self, annotation: Annotation) -> Option<String> {
        match self {
            Self::Author | Self::Nobody => Some(annotation.to_string()),
            Self::Namespace => Some(of_namespace(annotation.suffix())),
            Self::Operator => None,
        }
    }
}
