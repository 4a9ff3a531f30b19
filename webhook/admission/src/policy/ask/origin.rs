//! Who chose a setting.
//!
//! PURE.

use crate::{
    request::Request,
    settings::{Annotation, of_namespace},
};

/// Who chose a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// The pod's author.
    Author,
    /// The namespace's annotations.
    Namespace,
    /// The pod's author, by labels that the override of this name is for.
    Labels(&'a str),
    /// The operator's configuration.
    Operator,
    /// Nobody: it is what Mayfly does unless told otherwise.
    Nobody,
}

impl<'a> Origin<'a> {
    /// Whose choice the setting of this name is.
    pub(super) fn of(request: &'a Request, name: Annotation) -> Self {
        if request.own.has(name) {
            Self::Author
        } else if request.namespaces.has(name) {
            Self::Namespace
        } else if let Some(by) = request.by_labels.get(&name) {
            Self::Labels(by)
        } else if request.settings.has(name) {
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
            Self::Labels(by) => {
                Some(format!("{annotation} (of the override {by}, by the pod's own labels)"))
            }
            Self::Operator => None,
        }
    }
}
