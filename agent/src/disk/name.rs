//! The names that the agent makes in the volume. All begin with `..`, so that no secret's can.

use crate::{files::is_temporary, manifest::GenerationName};

/// The link to the present generation.
pub(super) const DATA: &str = "..data";

/// Whether `name` is one that this agent makes and may remove.
pub(super) fn is_disposable(name: &str) -> bool {
    name.parse::<GenerationName>().is_ok() || is_temporary(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::temporary;

    #[test]
    fn only_our_own_names_are_disposable() {
        assert!(is_disposable(&temporary()) && is_disposable("..1-00000000"));
        assert!(!is_disposable(DATA) && !is_disposable("..2026_01_01") && !is_disposable("db"));
        assert!(!is_disposable("..agent"));
    }
}
