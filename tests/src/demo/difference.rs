//! What has changed between two texts, for a person to read.

use similar::{ChangeTag, TextDiff};

use super::stage::{GOOD, PLAIN, QUIET, show};

/// How many lines around a change tell where it is.
const CONTEXT: usize = 2;

/// The changes, line by line.
pub(super) struct Difference<'a>(TextDiff<'a, 'a, str>);

impl<'a> Difference<'a> {
    /// Compares two texts.
    pub(super) fn new(before: &'a str, after: &'a str) -> Self {
        Self(TextDiff::from_lines(before, after))
    }

    /// The lines of `before` that `after` does not have.
    pub(super) fn removed(&self) -> Vec<&str> {
        let changes = self.0.iter_all_changes();
        changes
            .filter(|change| change.tag() == ChangeTag::Delete)
            .map(|change| change.value())
            .collect()
    }

    /// Shows the changes with a little of what is around them.
    pub(super) fn show(&self) {
        for hunk in self.0.unified_diff().context_radius(CONTEXT).iter_hunks() {
            show(QUIET, "…");
            for change in hunk.iter_changes() {
                let style = if change.tag() == ChangeTag::Equal { PLAIN } else { GOOD };
                show(style, &format!("{}{}", change.tag(), change.value()));
            }
        }
    }
}
