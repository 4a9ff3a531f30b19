//! The operator's policy: which pods may ask for what.
//!
//! PURE. The first rule that selects a pod decides about it. What is judged is what the pod would
//! really get ([`Ask`]); what the operator chose himself, by a default, is not judged.
//!
//! Invariant: allowing is monotone: a pattern more in a rule's list never denies more.
//! Invariant: a name of the cluster (a namespace, a service account) is never read as a pattern.

mod ask;
mod judgement;
mod labels;
mod namespace;
mod pattern;
mod rule;
mod selector;
mod subject;

pub use ask::{Ask, Kind, Wish};
pub use judgement::{Judgement, Violation};
pub use labels::{Labels, Requirement};
pub use namespace::{Directory, Namespace};
pub use pattern::{Pattern, PatternError};
pub use rule::{Ceiling, Rule};
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
        Judgement {
            rule: Some(rule.name.clone()),
            enforcement: rule.enforcement.unwrap_or(self.enforcement),
            violations: rule.violations(subject, ask),
        }
    }

    /// The most that `subject`'s agent may take, whoever asks for it; nothing, where violations are let pass.
    pub fn ceilings(&self, subject: &Subject<'_>) -> &[Ceiling] {
        let rule = self.rules.iter().find(|rule| rule.selector.selects(subject));
        let enforced =
            |rule: &&Rule| rule.enforcement.unwrap_or(self.enforcement) == Enforcement::Enforce;
        rule.filter(enforced).map_or(&[], |rule| &rule.ceilings)
    }
}

#[cfg(test)]
mod tests;
