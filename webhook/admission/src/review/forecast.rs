//! What will become of a workload's pods, told to whoever applies the workload: the author of a Deployment never sees
//! the denial of a pod.
//!
//! PURE. Only warns: a workload is never changed and never refused, because its pods may be created under another
//! configuration than today's.

use serde_json::Value;

use super::{Decision, Outcome, Review, Untouched, parse, read};
use crate::{
    config::Config,
    fault::{Fault, Faults, MOST_WARNINGS},
    pod::text,
    policy::Directory,
    workload::{Template, Templates},
};

/// Decides about the `AdmissionReview` of a workload in `body`.
pub fn forecast(config: &Config, directory: &Directory, body: &[u8]) -> Review {
    match parse(body) {
        Ok(review) => forecast_parsed(config, directory, review),
        Err(mut answer) => {
            // A workload is never refused; its pods will be.
            if let Decision::Denied(faults) = &answer.decision {
                answer.warnings = refusals("workload", faults).collect();
                answer.decision = Decision::Forecast(Forecast::Refused);
            }
            *answer
        }
    }
}

fn forecast_parsed(config: &Config, directory: &Directory, review: Value) -> Review {
    let (mut answer, _, mut object) = match read(review) {
        Ok(read) => read,
        Err(malformed) => return Review::of(Decision::Malformed(malformed)),
    };
    let templates = Templates::of(&object);
    if templates.is_empty() {
        answer.decision = Decision::Untouched(Untouched::NotAWorkload);
        return answer;
    }
    if !answer.owner.is_empty() {
        // Whoever applied the owner has been told.
        answer.decision = Decision::Untouched(Untouched::Owned);
        return answer;
    }
    answer.warnings.extend(templates.warnings());
    answer.decision = match answer.warnings.as_slice() {
        [] => Decision::Untouched(Untouched::NotAnnotated),
        _ => Decision::Forecast(Forecast::Misplaced),
    };
    for template in &templates.list {
        answer.foresee(config, directory, template, &mut object);
    }
    answer.warnings.truncate(MOST_WARNINGS);
    answer
}

impl Review {
    fn foresee(
        &mut self,
        config: &Config,
        directory: &Directory,
        template: &Template,
        object: &mut Value,
    ) {
        let pod = object.pointer_mut(&template.pointer).map(Value::take).unwrap_or_default();
        let refused = matches!(self.decision, Decision::Forecast(Forecast::Refused));
        match self.inspect(config, directory, pod, template.ends) {
            Outcome::Nothing(untouched) => {
                if matches!(self.decision, Decision::Untouched(_)) {
                    self.decision = Decision::Untouched(untouched);
                }
            }
            Outcome::Denied(faults) => {
                self.warnings.extend(refusals(text(object, "kind"), &faults));
                self.decision = Decision::Forecast(Forecast::Refused);
            }
            Outcome::Injected(injected) => {
                self.warnings.extend(injected.warnings);
                if !refused {
                    self.decision = Decision::Forecast(Forecast::Admitted);
                }
            }
        }
    }
}

/// A line for each fault, because the API server cuts each warning for itself.
fn refusals(kind: &str, faults: &Faults) -> impl Iterator<Item = String> {
    let kind = kind.to_owned();
    let told: Vec<&Fault> = faults.iter().collect();
    told.into_iter()
        .map(move |fault| format!("mayfly: the pods of this {kind} will be refused: {fault}"))
}

/// What will become of a workload's pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forecast {
    /// They get what they ask for.
    Admitted,
    /// They will be denied.
    Refused,
    /// They ask for nothing, because the annotations are in the wrong place.
    Misplaced,
}

impl Forecast {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Refused => "refused",
            Self::Misplaced => "misplaced",
        }
    }
}

#[cfg(test)]
mod tests;
