//! Whether a pod can run only where there is Windows.
//!
//! PURE. Judged by what the scheduler and the kubelet heed. A pod that Linux may get is none of it.

use serde_json::Value;

use crate::{
    fault::Fault,
    names::CONTAINER,
    pod::{Pod, items, place, text},
};

/// The kubelet gives each of its nodes both.
const OS_LABELS: [&str; 2] = ["kubernetes.io/os", "beta.kubernetes.io/os"];
/// It gives this one only to nodes with Windows.
const WINDOWS_LABEL: &str = "node.kubernetes.io/windows-build";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// Where the pod says that it needs Windows.
pub(super) fn refuse(pod: &Pod<'_>) -> Option<Fault> {
    let system = pod.field("os").map(|os| text(os, "name")).filter(|name| !name.is_empty());
    let place = match system {
        Some("windows") => Some("spec.os.name".to_owned()),
        Some(_) => None,
        None => by_nodes(pod).or_else(|| by_options(pod)),
    };
    place.map(|place| Fault::new(place, "`windows` is not supported; Mayfly's files need Linux"))
}

/// What the pod's own nodes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nodes {
    Linux,
    Windows,
    Any,
}

fn by_nodes(pod: &Pod<'_>) -> Option<String> {
    let label = |label: &&str| selected(pod, label) == Nodes::Windows;
    if let Some(label) = OS_LABELS.iter().chain([&WINDOWS_LABEL]).find(|name| label(name)) {
        return Some(format!("spec.nodeSelector.{label}"));
    }
    (required(pod) == Nodes::Windows).then(|| format!("spec.affinity.nodeAffinity.{REQUIRED}"))
}

/// Options for Windows, of a pod that does not keep to Linux.
fn by_options(pod: &Pod<'_>) -> Option<String> {
    let keeps_to_linux = required(pod) == Nodes::Linux
        || OS_LABELS.iter().any(|label| selected(pod, label) == Nodes::Linux);
    if keeps_to_linux {
        return None;
    }
    if pod.security("windowsOptions").is_some_and(says_something) {
        return Some("spec.securityContext.windowsOptions".to_owned());
    }
    let others = pod.containers().filter(|(_, container)| text(container, "name") != CONTAINER);
    let options = |container: &'_ Value| {
        let options = container.get("securityContext").and_then(|it| it.get("windowsOptions"));
        options.is_some_and(says_something)
    };
    let mut for_windows = others.filter(|(_, container)| options(container));
    for_windows
        .next()
        .map(|(position, _)| format!("{}.securityContext.windowsOptions", place(position)))
}

fn says_something(options: &Value) -> bool {
    options.as_object().is_some_and(|options| options.values().any(|value| !value.is_null()))
}

fn selected(pod: &Pod<'_>, label: &str) -> Nodes {
    match pod.field("nodeSelector").and_then(|selector| selector.get(label)) {
        Some(_) if label == WINDOWS_LABEL => Nodes::Windows,
        Some(value) => of_system(value),
        None => Nodes::Any,
    }
}

fn of_system(value: &Value) -> Nodes {
    match value.as_str() {
        Some("windows") => Nodes::Windows,
        Some("linux") => Nodes::Linux,
        _ => Nodes::Any,
    }
}

/// What the required affinity comes to: one of its terms is enough, and an empty one is for no node.
fn required(pod: &Pod<'_>) -> Nodes {
    let affinity = pod.field("affinity").and_then(|affinity| affinity.get("nodeAffinity"));
    let Some(required) = affinity.and_then(|affinity| affinity.get(REQUIRED)) else {
        return Nodes::Any;
    };
    let conditions =
        |term: &Value| items(term, "matchExpressions").len() + items(term, "matchFields").len();
    let terms = items(required, "nodeSelectorTerms").iter();
    let terms = terms.filter(|term| conditions(term) > 0).map(of_term);
    terms.reduce(|all, term| if all == term { all } else { Nodes::Any }).unwrap_or(Nodes::Any)
}

/// All of its expressions hold, so one that leaves a single system is enough.
fn of_term(term: &Value) -> Nodes {
    let mut expressions = items(term, "matchExpressions").iter().map(of_expression);
    expressions.find(|nodes| *nodes != Nodes::Any).unwrap_or(Nodes::Any)
}

fn of_expression(expression: &Value) -> Nodes {
    let (key, operator) = (text(expression, "key"), text(expression, "operator"));
    let values = items(expression, "values");
    if key == WINDOWS_LABEL {
        return if matches!(operator, "In" | "Exists") { Nodes::Windows } else { Nodes::Any };
    }
    let says = |system: &str| values.iter().any(|value| value == system);
    match operator {
        _ if !OS_LABELS.contains(&key) => Nodes::Any,
        "In" if values.iter().all(|value| value == "windows") && says("windows") => Nodes::Windows,
        "In" if values.iter().all(|value| value == "linux") && says("linux") => Nodes::Linux,
        "NotIn" if says("linux") && !says("windows") => Nodes::Windows,
        "NotIn" if says("windows") && !says("linux") => Nodes::Linux,
        _ => Nodes::Any,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place_of(spec: &Value) -> Option<String> {
        let pod = json!({"spec": spec});
        let pod = Pod::read(&pod).expect("a pod");
        refuse(&pod).map(|fault| fault.to_string())
    }

    fn with_terms(terms: &Value) -> Value {
        json!({"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}})
    }

    fn os(operator: &str, values: &[&str]) -> Value {
        json!({"key": "kubernetes.io/os", "operator": operator, "values": values})
    }

    #[test]
    fn what_only_windows_may_get_is_refused_with_its_place() {
        let options = json!({"windowsOptions": {"runAsUserName": "ContainerUser"}});
        let cases = [
            (json!({"os": {"name": "windows"}}), "spec.os.name"),
            (json!({"nodeSelector": {"kubernetes.io/os": "windows"}}), "spec.nodeSelector"),
            (json!({"nodeSelector": {"beta.kubernetes.io/os": "windows"}}), "spec.nodeSelector"),
            (json!({"nodeSelector": {WINDOWS_LABEL: "10.0.20348"}}), "spec.nodeSelector"),
            (with_terms(&json!([{"matchExpressions": [os("In", &["windows"])]}])), "spec.affinity"),
            (
                with_terms(&json!([{"matchExpressions": [os("NotIn", &["linux"])]}])),
                "spec.affinity",
            ),
            (
                with_terms(&json!([
                    {"matchExpressions": [{"key": "zone", "operator": "Exists"}, os("In", &["windows"])]},
                    {},
                    {"matchExpressions": [{"key": WINDOWS_LABEL, "operator": "Exists"}]},
                ])),
                "spec.affinity",
            ),
            (json!({"securityContext": options}), "spec.securityContext.windowsOptions"),
            (
                json!({"containers": [{"name": "a"}, {"name": "b", "securityContext": options}]}),
                "spec.containers[1].securityContext.windowsOptions",
            ),
        ];
        for (spec, place) in cases {
            let fault = place_of(&spec).unwrap_or_else(|| panic!("{spec} is taken"));
            assert!(fault.contains(place), "{spec}: {fault}");
        }
    }

    #[test]
    fn what_linux_may_get_is_not_refused() {
        let options = json!({"windowsOptions": {"hostProcess": true}});
        let cases = [
            json!({}),
            json!({"os": {"name": "linux"}, "securityContext": options}),
            json!({"nodeSelector": {"kubernetes.io/os": "linux"}, "securityContext": options}),
            json!({"nodeSelector": {"kubernetes.io/arch": "windows"}}),
            json!({"securityContext": {"windowsOptions": {"runAsUserName": null}}}),
            json!({"containers": [{"name": CONTAINER, "securityContext": options}]}),
            with_terms(&json!([])),
            with_terms(&json!([{"matchExpressions": [os("In", &["windows", "linux"])]}])),
            with_terms(&json!([{"matchExpressions": [os("NotIn", &["windows"])]}])),
            with_terms(&json!([{"matchExpressions": [os("Exists", &[])]}])),
            with_terms(&json!([
                {"matchExpressions": [os("In", &["windows"])]},
                {"matchExpressions": [{"key": "zone", "operator": "Exists"}]},
            ])),
            with_terms(
                &json!([{"matchFields": [{"key": "metadata.name"}]}, {"matchExpressions": [os("In", &["windows"])]}]),
            ),
            json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "preference": {"matchExpressions": [os("In", &["windows"])]}},
            ]}}}),
        ];
        for spec in cases {
            assert_eq!(place_of(&spec), None, "{spec}");
        }
    }
}
