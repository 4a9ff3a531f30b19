//! One `AdmissionReview` in, one out: the whole decision.
//!
//! PURE, and total: any bytes get an answer. The review is parsed once; the pod is taken out of it
//! and never copied whole.

mod account;
mod answer;
mod decision;
mod forecast;

use serde::Deserialize;
use serde_json::Value;

pub use account::Account;
pub use decision::{Decision, Malformed, Untouched};
pub use forecast::{Forecast, forecast};

use crate::{
    annotations::{self, Asked},
    bounds,
    config::Config,
    fault::{Fault, Faults},
    injection::{self, Prospect},
    patch::{Editor, Operation, operation, render},
    pod::{Pod, items, text},
    policy::{Ask, Directory, Namespace, Subject},
};
use json_patch::Patch;

/// What was decided about one request, and all that may be logged of it.
#[derive(Debug)]
pub struct Review {
    /// The request's own identifier.
    pub uid: String,
    /// The namespace of the object.
    pub namespace: String,
    /// The object's name, or what its name will begin with.
    pub name: String,
    /// What has made the object, as `ReplicaSet/web-5d8f`; empty when a person has.
    pub owner: String,
    /// What was decided.
    pub decision: Decision,
    /// What the pod's author is told besides.
    pub warnings: Vec<String>,
    /// What was asked for, and what the operator's policy says.
    pub account: Account,
    /// Whether it could not be decided because the namespace is not known yet.
    pub awaits_namespace: bool,
    operations: Vec<Operation>,
}

/// Decides about the `AdmissionReview` in `body`.
pub fn review(config: &Config, directory: &Directory, body: &[u8]) -> Review {
    match parse(body) {
        Ok(review) => review_parsed(config, directory, review),
        Err(answer) => *answer,
    }
}

/// The `AdmissionReview` in `body`, or the answer to one that is not read.
fn parse(body: &[u8]) -> Result<Value, Box<Review>> {
    let malformed = |error: serde_json::Error| {
        Box::new(Review::of(Decision::Malformed(Malformed::Json(error.to_string()))))
    };
    if let Err(excess) = bounds::weigh(body) {
        let Summons { request } = serde_json::from_slice(body).map_err(malformed)?;
        let Summoned { uid, namespace, name } = request;
        let decision = Decision::Denied(Fault::new("object", excess).into());
        return Err(Box::new(Review { uid, namespace, name, ..Review::of(decision) }));
    }
    serde_json::from_slice(body).map_err(malformed)
}

/// As much of a review as its answer needs.
#[derive(Deserialize)]
struct Summons {
    request: Summoned,
}

#[derive(Deserialize)]
struct Summoned {
    uid: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

/// Decides about an `AdmissionReview` that is parsed already.
pub fn review_parsed(config: &Config, directory: &Directory, review: Value) -> Review {
    let (mut answer, request, pod) = match read(review) {
        Ok(read) => read,
        Err(malformed) => return Review::of(Decision::Malformed(malformed)),
    };
    match Untouched::find(&request) {
        Some(untouched) => answer.decision = Decision::Untouched(untouched),
        None if !pod.is_object() => return Review::of(Decision::Malformed(Malformed::Object)),
        None => answer.decide(config, directory, pod),
    }
    answer
}

/// The answer to `review` as far as its request is known, the request, and the object that it is about.
fn read(mut review: Value) -> Result<(Review, Value, Value), Malformed> {
    Malformed::find(&review).map_or(Ok(()), Err)?;
    let mut request = review.get_mut("request").map(Value::take).unwrap_or_default();
    let object = request.get_mut("object").map(Value::take).unwrap_or_default();
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let names = [text(&request, "name"), text(metadata, "name"), text(metadata, "generateName")];
    let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let answer = Review {
        uid: text(&request, "uid").to_owned(),
        namespace: text(&request, "namespace").to_owned(),
        name: name.to_owned(),
        owner: owner(metadata),
        ..Review::of(Decision::Unchanged)
    };
    Ok((answer, request, object))
}

/// The controller among an object's owners, as `ReplicaSet/web-5d8f`; empty when there is none.
pub fn owner(metadata: &Value) -> String {
    let owners = items(metadata, "ownerReferences").iter();
    let mut controllers =
        owners.filter(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true));
    let controller = controllers.next();
    controller.map_or_else(String::new, |owner| {
        format!("{}/{}", text(owner, "kind"), text(owner, "name"))
    })
}

impl Review {
    fn of(decision: Decision) -> Self {
        Self {
            uid: String::new(),
            namespace: String::new(),
            name: String::new(),
            owner: String::new(),
            decision,
            warnings: Vec::new(),
            account: Account::default(),
            awaits_namespace: false,
            operations: Vec::new(),
        }
    }

    fn decide(&mut self, config: &Config, directory: &Directory, pod: Value) {
        let namespace = pod.get("metadata").map_or("", |metadata| text(metadata, "namespace"));
        if !namespace.is_empty() && namespace != self.namespace {
            let fault = Fault::new("metadata.namespace", "not the namespace of the request");
            self.decision = Decision::Denied(fault.into());
            return;
        }
        match self.inspect(config, directory, pod, false) {
            Outcome::Nothing(untouched) => self.decision = Decision::Untouched(untouched),
            Outcome::Denied(faults) => self.decision = Decision::Denied(faults),
            Outcome::Injected(injected) => {
                self.warnings = injected.warnings;
                self.operations = injected.edited.into_operations();
                if !self.operations.is_empty() {
                    self.decision = Decision::Injected(injected.mode);
                }
            }
        }
    }

    /// Injects into the object's pod, and notes what the policy says.
    fn inspect(
        &mut self,
        config: &Config,
        directory: &Directory,
        pod: Value,
        ends: bool,
    ) -> Outcome {
        let namespace = directory.find(&self.namespace, config.needs_namespaces());
        let Inspection { outcome, account } = inject(config, namespace.as_deref(), pod, ends);
        self.account = account;
        self.awaits_namespace |= namespace.is_none() && matches!(outcome, Outcome::Denied(_));
        outcome
    }

    /// How the agent is placed, in a word; `none` when that is not known.
    pub fn mode(&self) -> &'static str {
        self.account.mode.map_or("none", mayfly_spec::spec::Mode::name)
    }

    /// Why it was decided so, in a word of a short list.
    pub fn reason(&self) -> &'static str {
        match &self.decision {
            Decision::Denied(_) if self.account.judgement.faults().next().is_some() => "policy",
            decision => decision.reason(),
        }
    }

    /// The patch, when there is anything to change.
    pub fn patch(&self) -> Option<Patch> {
        (!self.operations.is_empty()).then(|| operation::patch(&self.operations))
    }
}

/// What became of one pod or pod template.
#[derive(Debug)]
pub enum Outcome {
    /// It is not meant for us.
    Nothing(Untouched),
    /// It asks for what it cannot get.
    Denied(Faults),
    /// It gets what it asks for.
    Injected(Box<Injected>),
}

/// A pod as it will be admitted.
#[derive(Debug)]
pub struct Injected {
    /// How the agent is placed.
    pub mode: mayfly_spec::spec::Mode,
    /// The pod with everything in it, and what leads there.
    pub edited: Editor,
    /// What is legal and doubtful.
    pub warnings: Vec<String>,
}

/// What became of a pod, and what it asked for.
#[derive(Debug)]
pub struct Inspection {
    /// What became of it.
    pub outcome: Outcome,
    /// What it asked for, and what the operator's policy says.
    pub account: Account,
}

/// Injects into one pod of `namespace`, or the template of one; `ends` says that its owner is meant to end.
/// A namespace that is not known yet denies what asks for anything.
pub fn inject(
    config: &Config,
    namespace: Option<&Namespace>,
    pod: Value,
    ends: bool,
) -> Inspection {
    let mut account = Account::default();
    let outcome = decide(config, namespace, pod, ends, &mut account);
    Inspection { outcome, account }
}

fn decide(
    config: &Config,
    namespace: Option<&Namespace>,
    pod: Value,
    ends: bool,
    account: &mut Account,
) -> Outcome {
    let Some(annotations) = Pod::annotations(&pod) else {
        return Outcome::Nothing(Untouched::NotAnnotated);
    };
    if annotations.contains_key("kubernetes.io/config.mirror") {
        return Outcome::Nothing(Untouched::Mirror);
    }
    if let Err(excess) = bounds::annotations(annotations) {
        return Outcome::Denied(Fault::new("metadata.annotations", excess).into());
    }
    let nowhere = Namespace::default();
    let subject = Subject::new(namespace.unwrap_or(&nowhere), &pod);
    let (request, mut faults) = match annotations::parse(annotations, config, &subject) {
        Asked::Nothing => return Outcome::Nothing(Untouched::NotAnnotated),
        Asked::Off => return Outcome::Nothing(Untouched::SwitchedOff),
        Asked::Injection(request, faults) => (request, faults),
    };
    account.note(&request);
    if namespace.is_none() {
        let message = "not known to the webhook yet, and its policy needs its labels or annotations; try again";
        return Outcome::Denied(Fault::new("metadata.namespace", message).into());
    }
    let view = match Pod::read(&pod) {
        Ok(view) => view.of_owner(ends),
        Err(fault) => return Outcome::Denied(fault.into()),
    };
    let prospect = Prospect::of(config, &request, &view);
    if !config.policy.rules.is_empty() {
        let ask = Ask::of(&request, &view, prospect.aws.as_ref());
        account.judgement = config.policy.judge(&subject, &ask);
        faults.extend(account.judgement.faults());
        faults.count_more(account.judgement.unlisted_faults());
    }
    let ceilings = account.judgement.ceilings.clone();
    let plan = injection::plan(config, &request, &view, prospect, &ceilings);
    let mut plan = match plan {
        Ok(plan) if faults.is_empty() => plan,
        Ok(_) => return Outcome::Denied(faults),
        Err(more) => {
            faults.append(more);
            return Outcome::Denied(faults);
        }
    };
    let (mode, mut warnings) = (plan.mode, std::mem::take(&mut plan.warnings));
    warnings.extend(account.judgement.warnings());
    let edited = render(plan, pod);
    Outcome::Injected(Box::new(Injected { mode, edited, warnings }))
}

#[cfg(test)]
mod tests;
