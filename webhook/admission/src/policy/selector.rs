//! Which pods something is for.
//!
//! PURE. What is absent selects everything.

use super::{Labels, Pattern, Subject};

/// Selects pods by where they are, as whom they run, and their labels; all of it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Names of namespaces.
    pub namespaces: Option<Vec<Pattern>>,
    /// Labels of namespaces.
    pub namespace_labels: Labels,
    /// Names of service accounts.
    pub service_accounts: Option<Vec<Pattern>>,
    /// Labels of pods.
    pub pod_labels: Labels,
}

impl Selector {
    /// Whether `subject` is one of them.
    pub fn selects(&self, subject: &Subject<'_>) -> bool {
        let is_in = |patterns: &Option<Vec<Pattern>>, name: &str| {
            let matches = |pattern: &Pattern| pattern.matches(name, subject);
            patterns.as_ref().is_none_or(|patterns| patterns.iter().any(matches))
        };
        is_in(&self.namespaces, &subject.namespace.name)
            && is_in(&self.service_accounts, subject.service_account())
            && self.namespace_labels.select(|key| Some(subject.namespace.labels.get(key)?.as_str()))
            && self.pod_labels.select(|key| subject.label(key))
    }

    /// Whether nothing but labels of the pod decides, which whoever creates the pod chooses.
    pub fn rests_on_pod_labels(&self) -> bool {
        let is_open = |patterns: &Option<Vec<Pattern>>| {
            patterns.as_ref().is_none_or(|patterns| patterns.iter().any(Pattern::is_open))
        };
        !self.pod_labels.select_all()
            && self.namespace_labels.select_all()
            && is_open(&self.namespaces)
            && is_open(&self.service_accounts)
    }

    /// Whether more than a namespace's name must be known.
    pub fn needs_namespaces(&self) -> bool {
        !self.namespace_labels.select_all()
    }
}
