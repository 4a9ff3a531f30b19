//! What the API server's audit log keeps of a decision: which pod asked for what, by which rule, never a value.
//!
//! PURE. The API server writes the webhook's name before each key.

use mayfly_spec::{file::FileEntry, spec::Mode};
use serde::Serialize;

use super::{Decision, Review};
use crate::{
    fault::{line, quote},
    policy::Judgement,
    request::Request,
};

/// References in one annotation: an honest pod has a handful.
const MOST_REFERENCES: usize = 50;

/// What can be told of a pod's request besides the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// How the agent is placed.
    pub mode: Option<Mode>,
    /// What the files come from, in their order.
    pub references: Vec<String>,
    /// What the operator's policy says.
    pub judgement: Judgement,
}

impl Account {
    /// Takes down what `request` asks for, each reference once.
    pub(super) fn note(&mut self, request: &Request) {
        self.mode = Some(request.settings.mode.unwrap_or(Mode::Sidecar));
        let references = request.files.iter().flat_map(FileEntry::references);
        for reference in references.take(MOST_REFERENCES) {
            let reference = line(&reference.label());
            if !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
    }
}

/// The annotations of one review in the audit log.
#[derive(Debug, Serialize)]
pub(super) struct AuditAnnotations<'a> {
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    references: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    violations: String,
}

impl<'a> AuditAnnotations<'a> {
    /// Those of a pod that asked for us. The same for a second look at the same pod, because the API server keeps the
    /// first value of a key and complains about another.
    pub(super) fn of(review: &'a Review) -> Option<Self> {
        let decision = match review.decision {
            Decision::Injected(_) | Decision::Unchanged => "admitted",
            Decision::Denied(_) => "denied",
            Decision::Untouched(_) | Decision::Forecast(_) | Decision::Malformed(_) => return None,
        };
        let Account { mode, references, judgement } = &review.account;
        let more = match judgement.violations.unlisted() {
            0 => None,
            more => Some(format!("and {more} more")),
        };
        let violations = judgement.violations.iter();
        let violations = violations
            .map(|violation| format!("{}: {}", quote(&violation.place), violation.refusal))
            .chain(more);
        Some(Self {
            decision,
            mode: mode.map(Mode::name),
            references: references.join(" "),
            rule: judgement.rule.as_deref(),
            violations: line(&violations.collect::<Vec<_>>().join("; ")),
        })
    }
}
