//! What the policy says about one pod, and in which words.
//!
//! PURE.

use std::sync::Arc;

use super::{Enforcement, Subject};
use crate::{fault::Fault, settings::Annotation};

/// What was decided, by which rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The rule that decided; nothing, when there are no rules, or none is for the pod.
    pub rule: Option<Arc<str>>,
    /// What becomes of the violations.
    pub enforcement: Enforcement,
    /// What the pod asks for and may not have.
    pub violations: Vec<Violation>,
}

/// One thing that a pod may not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where it is asked for.
    pub place: String,
    /// What it is, and who does not allow it.
    pub refusal: String,
    /// What would be allowed.
    pub remedy: String,
}

impl Judgement {
    /// No rule is for `subject`, which therefore may have nothing.
    pub(super) fn without_rule(enforcement: Enforcement, subject: &Subject<'_>) -> Self {
        let refusal = format!(
            "no rule is for this pod (namespace `{}`, service account `{}`)",
            subject.namespace.name,
            subject.service_account()
        );
        let place = Annotation::Inject.to_string();
        let remedy = "ask the operator for one".to_owned();
        let violations = vec![Violation { place, refusal, remedy }];
        Self { rule: None, enforcement, violations }
    }

    /// The violations as faults, when they deny.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        let violations =
            self.violations.iter().filter(|_| self.enforcement == Enforcement::Enforce);
        violations.map(|Violation { place, refusal, remedy }| {
            Fault::new(place, format_args!("policy: {refusal}; {remedy}"))
        })
    }

    /// The violations as warnings, when they are let pass.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let violations = self.violations.iter().filter(|_| self.enforcement == Enforcement::Audit);
        violations.map(|Violation { place, refusal, .. }| {
            crate::fault::warning(format_args!("policy (audit): {refusal} (`{place}`)"))
        })
    }

    /// The deciding rule's name, or a word that no rule can have.
    pub fn rule_name(&self) -> &str {
        self.rule.as_deref().unwrap_or("(none)")
    }

    /// What became of the violations, in a word.
    pub const fn verdict(&self) -> &'static str {
        match self.enforcement {
            Enforcement::Enforce => "denied",
            Enforcement::Audit => "audited",
        }
    }
}
