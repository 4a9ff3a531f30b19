//! The operator's policy: which pods may ask for what.
//!
//! PURE. The first rule that selects a pod decides about it. What is judged is what the pod would
//! really get ([`Ask`]); what the operator chose himself, by a default, is not judged, unless nothing but
//! labels of the pod, which are its author's, brought it to the pod.
//!
//! Invariant: allowing is monotone: a pattern more in a rule's list never denies more.
//! Invariant: a name of the cluster (a namespace, a service account) is never read as a pattern.

mod ask;
mod ceiling;
mod judgement;
mod labels;
mod namespace;
mod pattern;
mod rule;
mod selector;
mod subject;

pub use ask::{Ask, Extent, Kind, Take, Wish};
pub use ceiling::{Ceiling, Ceilings};
pub use judgement::{Judgement, Violation, Violations};
pub use labels::{Labels, Requirement};
pub use namespace::{Directory, Namespace};
pub use pattern::{Pattern, PatternError};
pub use rule::Rule;
pub use selector::Selector;
pub use subject::Subject;

/// What authors may ask for. Without rules, everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What becomes of violations, unless a rule says otherwise.
    pub enforcement: Enforcement,
    /// The rules, in the order in which they are tried.
    pub rules: Vec<Rule>,
}

/// What becomes of a violation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// The pod is denied.
    #[default]
    Enforce,
    /// The pod is admitted, with a warning.
    Audit,
}

impl Policy {
    /// Whether and why `subject` may not have what it asks for.
    pub fn judge(&self, subject: &Subject<'_>, ask: &Ask) -> Judgement {
        if self.rules.is_empty() {
            return Judgement::default();
        }
        let Some(rule) = self.rules.iter().find(|rule| rule.selector.selects(subject)) else {
            return Judgement::without_rule(self.enforcement, subject);
        };
        let enforcement = rule.enforcement.unwrap_or(self.enforcement);
        let ceilings = match enforcement {
            Enforcement::Enforce => rule.ceilings.clone(),
            Enforcement::Audit => Ceilings::default(),
        };
        let violations = rule.violations(subject, ask);
        Judgement { rule: Some(rule.name.clone()), enforcement, violations, ceilings }
    }
}

#[cfg(test)]
mod tests;
