//! What became of a pod, from the API server's answers. Nothing is asked here.

use std::fmt;

use mayfly_tests::additive::is_kept;
use serde_json::Value;

/// What the API server says of a pod.
#[derive(Debug)]
pub(super) enum Answer {
    /// The pod as it would be stored.
    Taken(Value),
    /// Why not.
    Refused(String),
}

/// Its answers about one pod.
#[derive(Debug)]
pub(super) struct Answers {
    /// The pod that asks for nothing, as it would be stored.
    pub(super) without: Value,
    /// About the same pod when it asks for a secret.
    pub(super) with: Answer,
    /// About what came of that, sent once more.
    pub(super) again: Option<Answer>,
}

/// What became of a pod.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has its agent, everything else is as it was, and a second turn changes nothing.
    Injected,
    /// Mayfly refuses it, and says why.
    Refused(String),
    /// The API server does not take it without Mayfly either.
    NotTaken(String),
    /// It is no manifest.
    Unreadable(String),
    /// The API server takes it only without Mayfly.
    Spoiled(String),
    /// It was taken, and has no agent.
    Missed,
    /// Something of it is gone or changed.
    NotAdditive,
    /// A second turn changes it again.
    NotIdempotent,
}

impl Answers {
    /// The verdict.
    pub(super) fn judge(&self) -> Verdict {
        let with = match &self.with {
            Answer::Taken(pod) => pod,
            Answer::Refused(reason) if is_ours(reason) => return Verdict::Refused(reason.clone()),
            Answer::Refused(reason) => return Verdict::Spoiled(reason.clone()),
        };
        if !has_agent(with) {
            return Verdict::Missed;
        }
        if !is_kept(&bare(&self.without), &bare(with)) {
            return Verdict::NotAdditive;
        }
        match &self.again {
            Some(Answer::Taken(again)) if bare(again) == bare(with) => Verdict::Injected,
            _ => Verdict::NotIdempotent,
        }
    }
}

impl Verdict {
    /// The word for it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Refused(_) => "refused",
            Self::NotTaken(_) => "not taken without us either",
            Self::Unreadable(_) => "unreadable",
            Self::Spoiled(_) => "taken only without us",
            Self::Missed => "without an agent",
            Self::NotAdditive => "not additive",
            Self::NotIdempotent => "not idempotent",
        }
    }

    /// Whether it ought not to be.
    pub(super) fn is_our_fault(&self) -> bool {
        matches!(self, Self::Spoiled(_) | Self::Missed | Self::NotAdditive | Self::NotIdempotent)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Refused(why)
            | Self::NotTaken(why)
            | Self::Unreadable(why)
            | Self::Spoiled(why) => {
                write!(f, ": {}", why.lines().next().unwrap_or_default())
            }
            _ => Ok(()),
        }
    }
}

fn is_ours(reason: &str) -> bool {
    reason.contains("mayfly")
        && (reason.contains("denied the request") || reason.contains("denied request"))
}

fn has_agent(pod: &Value) -> bool {
    let lists = ["initContainers", "containers"].map(|list| pod["spec"][list].as_array());
    lists.into_iter().flatten().flatten().any(|container| container["name"] == "mayfly-agent")
}

/// The pod without what an API server makes anew each time, such as the name of the volume with its own token.
pub(super) fn bare(pod: &Value) -> Value {
    let mut pod = pod.clone();
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"] {
        pod["metadata"].as_object_mut().and_then(|metadata| metadata.remove(field));
    }
    pod.as_object_mut().and_then(|pod| pod.remove("status"));
    if let Some(spec) = pod.get_mut("spec") {
        drop_tokens(spec.get_mut("volumes"));
        for list in ["initContainers", "containers"] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                drop_tokens(container.get_mut("volumeMounts"));
            }
        }
    }
    pod
}

fn drop_tokens(named: Option<&mut Value>) {
    let is_token =
        |it: &Value| it["name"].as_str().is_some_and(|name| name.starts_with("kube-api-access-"));
    if let Some(items) = named.and_then(Value::as_array_mut) {
        items.retain(|item| !is_token(item));
    }
}
