//! How large a template and what is made of it may be, each with its reason.

/// The longest template, in bytes: half of what fits into a pod's configuration.
pub const LONGEST: usize = 64 * 1024;
/// The largest file that the agent makes of one, in bytes.
pub const LARGEST: usize = 1024 * 1024;
/// References of one template, each counted once.
pub const MOST_REFERENCES: usize = 100;
/// Parts of one expression or statement.
pub(super) const MOST_TOKENS: usize = 400;
/// Parts of all expressions and statements together: what they make of a value nests no deeper than that.
pub(super) const MOST_TOKENS_IN_ALL: usize = 5000;
/// Alternatives in a template.
pub(super) const MOST_BRANCHES: usize = 100;
