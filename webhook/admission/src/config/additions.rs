//! What the operator says about others' additions to the agent's container, and where the agent's image lies besides.
//!
//! PURE. Words only; which additions stay without a word is the injection's to know.

/// What others may add to the agent's container beyond the usual, and what they may not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    /// Stays, although it usually does not.
    pub keep: Names,
    /// Does not stay, although it usually does; stronger than `keep`.
    pub drop: Names,
}

/// Variables and mounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Names of variables; a `*` at the end stands for anything.
    pub variables: Vec<String>,
    /// Places of mounts; each stands for what lies below it too.
    pub mounts: Vec<String>,
}

impl Names {
    /// Whether the variable `name` is meant.
    pub fn has_variable(&self, name: &str) -> bool {
        self.variables.iter().any(|pattern| is_meant(pattern, name))
    }

    /// Whether a mount at `path` is meant.
    pub fn has_mount(&self, path: &str) -> bool {
        let below = |place: &String| {
            path.strip_prefix(place.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.mounts.iter().any(below)
    }
}

/// Whether `name` is what an operator wrote, in which a `*` at the end stands for anything.
pub(super) fn is_meant(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}
