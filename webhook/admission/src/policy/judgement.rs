//! What the policy says about one pod, and in which words.
//!
//! PURE.

use std::sync::Arc;

use super::{Ceilings, Enforcement, Subject};
use crate::{
    fault::{Fault, MOST_LISTED},
    settings::Annotation,
};

/// What was decided, by which rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The rule that decided; nothing, when there are no rules, or none is for the pod.
    pub rule: Option<Arc<str>>,
    /// What becomes of the violations.
    pub enforcement: Enforcement,
    /// What the pod asks for and may not have.
    pub violations: Violations,
    /// The most that the agent may take, whoever asks for more; empty, where violations are let pass.
    pub ceilings: Ceilings,
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

/// All that a pod may not have. What no answer would list is only counted, and no text is made of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    listed: Vec<Violation>,
    more: usize,
}

impl Violations {
    /// Takes one more, which is only made if it will be listed.
    pub(super) fn push_with(&mut self, violation: impl FnOnce() -> Violation) {
        if self.listed.len() == MOST_LISTED {
            self.more += 1;
            return;
        }
        let violation = violation();
        if self.listed.last() != Some(&violation) {
            self.listed.push(violation);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.listed.len() + self.more
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Those that are listed.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.listed.iter()
    }

    /// How many are not listed.
    pub fn unlisted(&self) -> usize {
        self.more
    }
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
        let listed = vec![Violation { place, refusal, remedy }];
        let violations = Violations { listed, more: 0 };
        Self { rule: None, enforcement, violations, ceilings: Ceilings::default() }
    }

    /// The violations as faults, when they deny.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        let violations =
            self.violations.iter().filter(|_| self.enforcement == Enforcement::Enforce);
        violations.map(|Violation { place, refusal, remedy }| {
            Fault::new(place, format_args!("policy: {refusal}; {remedy}"))
        })
    }

    /// How many faults there are beside those.
    pub fn unlisted_faults(&self) -> usize {
        match self.enforcement {
            Enforcement::Enforce => self.violations.unlisted(),
            Enforcement::Audit => 0,
        }
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
