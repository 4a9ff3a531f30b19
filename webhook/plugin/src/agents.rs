//! What a pod's object says of the agent in it.
//!
//! PURE. What the agent itself says is elsewhere.

use mayfly_admission::{
    names::{CONFIG_VARIABLE, CONTAINER},
    pod::{items, text},
};
use mayfly_spec::{Spec, spec::Mode};
use serde_json::Value;

/// Whether a pod's agent can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is none.
    None,
    /// It does not run yet, or not again, for this reason.
    Starting(String),
    /// It runs.
    Running,
    /// It has done what it was to do.
    Done,
    /// It has ended for this reason, and is not started again.
    Failed(String),
}

/// The agent's container.
pub(crate) fn agent(pod: &Value) -> Option<&Value> {
    let spec = pod.get("spec")?;
    let lists = ["initContainers", "containers"].into_iter();
    lists.flat_map(|list| items(spec, list)).find(|container| text(container, "name") == CONTAINER)
}

/// Whether a pod has run to its end.
pub(crate) fn has_ended(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// How the agent is placed, in the words of the annotation.
pub(crate) fn mode(pod: &Value) -> Option<&'static str> {
    let mut variables = items(agent(pod)?, "env").iter();
    let contract = variables.find(|variable| text(variable, "name") == CONFIG_VARIABLE)?;
    let spec = Spec::from_environment(text(contract, "value")).ok()?;
    spec.mode.map(Mode::name)
}

/// How the agent stands, as the kubelet tells it.
pub(crate) fn standing(pod: &Value) -> Standing {
    if agent(pod).is_none() {
        return Standing::None;
    }
    let lists = ["initContainerStatuses", "containerStatuses"].into_iter();
    let told = pod.get("status").unwrap_or(&Value::Null);
    let mut statuses = lists.flat_map(|list| items(told, list));
    let status = statuses.find(|status| text(status, "name") == CONTAINER);
    match status {
        Some(status) if status.pointer("/state/running").is_some() => Standing::Running,
        Some(status) => at_rest(status, has_ended(pod)),
        None if has_ended(pod) => Standing::Failed("the pod has ended".to_owned()),
        None => Standing::Starting(String::new()),
    }
}

fn at_rest(status: &Value, is_over: bool) -> Standing {
    match status.pointer("/state/terminated") {
        Some(end) if end.get("exitCode").and_then(Value::as_i64) == Some(0) => Standing::Done,
        Some(end) if is_over => Standing::Failed(reason(end)),
        Some(end) => Standing::Starting(reason(end)),
        None => {
            let last = status.pointer("/lastState/terminated").map(reason);
            let waiting = || status.pointer("/state/waiting").map(reason);
            Standing::Starting(last.or_else(waiting).unwrap_or_default())
        }
    }
}

/// The agent's own last words, if it had any; else the kubelet's.
fn reason(state: &Value) -> String {
    let words = ["message", "reason"].map(|field| text(state, field).trim());
    words.into_iter().find(|words| !words.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &Value) -> Value {
        json!({"spec": {"initContainers": [{"name": "mayfly-agent"}]},
            "status": {"initContainerStatuses": [{"name": "other", "state": {"running": {}}}, status]}})
    }

    fn of(state: &Value, last: &Value) -> Standing {
        standing(&pod(&json!({"name": "mayfly-agent", "state": state, "lastState": last})))
    }

    #[test]
    fn the_kubelet_tells_how_an_agent_stands() {
        let none = json!({"spec": {"containers": [{"name": "app"}]}});
        assert_eq!(standing(&none), Standing::None);
        assert_eq!(of(&json!({"running": {}}), &json!({})), Standing::Running);
        assert_eq!(of(&json!({"terminated": {"exitCode": 0}}), &json!({})), Standing::Done);
        let unscheduled = json!({"spec": {"containers": [{"name": "mayfly-agent"}]}});
        assert_eq!(standing(&unscheduled), Standing::Starting(String::new()));
    }

    #[test]
    fn an_agent_that_does_not_start_has_told_why() {
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let last = json!({"terminated": {"exitCode": 3, "message": "role `shop` is refused\n"}});
        assert_eq!(of(&waiting, &last), Standing::Starting("role `shop` is refused".to_owned()));
        let pulling = json!({"waiting": {"reason": "ImagePullBackOff"}});
        assert_eq!(of(&pulling, &json!({})), Standing::Starting("ImagePullBackOff".to_owned()));
    }

    #[test]
    fn an_agent_that_has_failed_for_good_is_no_agent_that_starts() {
        let ended = json!({"terminated": {"exitCode": 3, "message": "refused"}});
        assert_eq!(of(&ended, &json!({})), Standing::Starting("refused".to_owned()));
        let mut over = pod(&json!({"name": "mayfly-agent", "state": ended}));
        over["status"]["phase"] = "Failed".into();
        assert_eq!(standing(&over), Standing::Failed("refused".to_owned()));
    }
}
