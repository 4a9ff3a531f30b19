//! How one pod stands: what its object says, and what its agent answers.
//!
//! PURE.

use mayfly_admission::pod::text;
use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, Secret, Word};
use crate::{
    agents::{self, Standing},
    exec::{ExecError, Outcome, Place},
    foreign::line,
};

/// How one pod stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodStatus {
    pub(crate) namespace: String,
    pub(crate) pod: String,
    /// The node that it is on.
    pub(crate) node: Option<String>,
    /// How its agent is placed.
    pub(crate) mode: Option<&'static str>,
    /// All in one word.
    pub(crate) state: State,
    /// The number of its files' generation.
    pub(crate) generation: Option<u64>,
    /// When that was written.
    pub(crate) written: Option<String>,
    /// How long ago the oldest of its values was seen to be the present one.
    pub(crate) oldest_seconds: Option<u64>,
    /// When the agent looks next.
    pub(crate) next_look: Option<String>,
    /// Why the last look failed, or why nothing is known.
    pub(crate) error: Option<String>,
    /// Every secret.
    pub(crate) secrets: Vec<Secret>,
}

/// A pod in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// The files are what the last look found.
    Ready,
    /// The files are good, but the last look failed for some.
    Stale,
    /// There are no complete files yet.
    Starting,
    /// The agent has ended with a fault.
    Failed,
    /// The agent has written the files and ended, as it is to do with the mode `init`.
    Done,
    /// There is none.
    NoAgent,
    /// The caller may not ask it.
    NotAllowed,
    /// It cannot be asked, or answers something else.
    NoAnswer,
}

impl State {
    /// The word for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Stale => "stale",
            Self::Starting => "starting",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::NoAgent => "no agent",
            Self::NotAllowed => "not allowed",
            Self::NoAnswer => "no answer",
        }
    }

    /// Whether nobody has to look at it.
    pub(crate) const fn is_well(self) -> bool {
        matches!(self, Self::Ready | Self::Done | Self::NoAgent)
    }
}

/// Where a pod is.
pub(crate) fn place(pod: &Value) -> Place {
    let metadata = pod.get("metadata").unwrap_or(&Value::Null);
    let [namespace, pod] = ["namespace", "name"].map(|field| text(metadata, field).to_owned());
    Place { namespace, pod }
}

impl PodStatus {
    /// What the pod's object alone says; whether its agent is to be asked is [`agents::standing`]'s.
    pub(crate) fn told(pod: &Value) -> Self {
        let (state, reason) = match agents::standing(pod) {
            Standing::None => (State::NoAgent, String::new()),
            Standing::Starting(reason) => (State::Starting, reason),
            Standing::Running => (State::NoAnswer, String::new()),
            Standing::Done => (State::Done, String::new()),
            Standing::Failed(reason) => (State::Failed, reason),
        };
        let Place { namespace, pod: name } = place(pod);
        let node = pod.pointer("/spec/nodeName").and_then(Value::as_str).map(str::to_owned);
        let error = Some(line(&reason)).filter(|reason| !reason.is_empty());
        Self {
            namespace,
            pod: name,
            node,
            mode: agents::mode(pod),
            state,
            generation: None,
            written: None,
            oldest_seconds: None,
            next_look: None,
            error,
            secrets: Vec::new(),
        }
    }

    /// The same pod, with what came of asking its agent.
    pub(crate) fn answered(self, outcome: Result<Outcome, ExecError>) -> Self {
        match outcome {
            Ok(outcome) => match Answer::parse(&outcome.printed) {
                Some(answer) => self.with(answer),
                None => self.without(State::NoAnswer, &complaint(&outcome)),
            },
            Err(error @ ExecError::NotAllowed) => {
                self.without(State::NotAllowed, &error.to_string())
            }
            Err(error) => self.without(State::NoAnswer, &error.to_string()),
        }
    }

    fn with(self, answer: Answer) -> Self {
        let state = match answer.state {
            Word::Starting => State::Starting,
            Word::Ready => State::Ready,
            Word::Stale => State::Stale,
            Word::Failed => State::Failed,
        };
        let oldest = answer.references.iter().filter_map(|secret| secret.age_seconds).max();
        let first = || answer.references.iter().find_map(|secret| secret.error.clone());
        Self {
            state,
            generation: Some(answer.generation),
            oldest_seconds: oldest,
            error: answer.error.clone().or_else(first),
            written: answer.written,
            next_look: answer.next_look,
            secrets: answer.references,
            ..self
        }
    }

    fn without(self, state: State, reason: &str) -> Self {
        Self { state, error: Some(line(reason)), ..self }
    }

    /// What is to be told anew when it changes; ages and times always do.
    pub(crate) fn news(&self) -> impl PartialEq + '_ {
        (&self.namespace, &self.pod, self.state, self.generation, &self.error)
    }
}

/// Why a command that ran gave no account.
fn complaint(outcome: &Outcome) -> String {
    let words = line(&String::from_utf8_lossy(&outcome.complaint));
    // The program's own name is no news.
    let words = words.strip_prefix("mayfly-agent: ").unwrap_or(&words);
    match words {
        "" => format!("its answer, with exit code {}, is no account of an agent", outcome.code),
        words => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn running() -> Value {
        let contract = r#"{"version":1,"directory":"/run/mayfly","mode":"sidecar","files":[]}"#;
        json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {"nodeName": "n1", "initContainers": [
                {"name": "mayfly-agent", "env": [{"name": "MAYFLY_CONFIG", "value": contract}]}]},
            "status": {"initContainerStatuses": [{"name": "mayfly-agent", "state": {"running": {}}}]}})
    }

    fn said(printed: &str, complaint: &str) -> Outcome {
        Outcome { printed: printed.into(), complaint: complaint.into(), code: 1 }
    }

    #[test]
    fn an_answer_tells_the_oldest_value_and_the_first_error() {
        let secret = |age: u64, error: Value| json!({"reference": "aws-sm:a", "state": "fresh", "age-seconds": age, "error": error});
        let references = json!([secret(5, Value::Null), secret(90, json!({"message": "gone"}))]);
        let answer = json!({"state": "ready", "generation": 2, "references": references});
        let status = PodStatus::told(&running()).answered(Ok(said(&answer.to_string(), "")));
        assert_eq!((status.state, status.generation), (State::Ready, Some(2)));
        assert_eq!((status.oldest_seconds, status.error.as_deref()), (Some(90), Some("gone")));
        assert_eq!((status.mode, status.node.as_deref()), (Some("sidecar"), Some("n1")));
    }

    #[test]
    fn not_allowed_is_not_no_answer_and_neither_is_no_agent() {
        let state = |outcome| PodStatus::told(&running()).answered(outcome).state;
        assert_eq!(state(Err(ExecError::NotAllowed)), State::NotAllowed);
        assert_eq!(state(Err(ExecError::Cut)), State::NoAnswer);
        assert_eq!(state(Ok(said("{}", ""))), State::NoAnswer);
        let without = json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {}});
        assert_eq!(PodStatus::told(&without).state, State::NoAgent);
        assert!(State::NoAgent.is_well() && !State::NotAllowed.is_well());
    }

    #[test]
    fn what_an_agent_complains_of_is_told_without_its_escapes() {
        let status =
            PodStatus::told(&running()).answered(Ok(said("", "mayfly-agent: \u{1b}[2Jno agent\n")));
        assert_eq!(status.error.as_deref(), Some("[2Jno agent"));
    }
}
