//! What an admitted pod must have, written down a second time.

use mayfly_admission::names::CONTAINER;
use serde_json::{Map, Value, json};

const VOLUMES: [&str; 3] = ["mayfly-secrets", "mayfly-state", "mayfly-identity"];

/// Places at which nobody mounts anything in the agent.
const PLACES: [&str; 12] = [
    "/mayfly-agent",
    "/run/mayfly",
    "/run/secrets/kubernetes.io",
    "/var/run/secrets/kubernetes.io",
    "/var/run/secrets/mayfly.dev",
    "/etc/ssl",
    "/etc/pki",
    "/var/lib/ca-certificates",
    "/etc/resolv.conf",
    "/proc",
    "/sys",
    "/dev",
];

/// Whether a pod's own switch is on.
pub(super) fn asks(pod: &Value) -> bool {
    let annotations = pod["metadata"]["annotations"].as_object();
    let ours = |name: &String| name.to_lowercase().starts_with("mayfly.dev/");
    let mut ours = annotations.into_iter().flatten().filter(|(name, _)| ours(name));
    let is_mirror =
        |annotations: &Map<String, Value>| annotations.contains_key("kubernetes.io/config.mirror");
    ours.next().is_some() && !annotations.is_some_and(is_mirror)
}

/// The pod before anything of ours was in it.
pub(super) fn without_ours(pod: &Value) -> Value {
    let mut pod = pod.clone();
    for (list, names) in
        [("initContainers", &[CONTAINER][..]), ("containers", &[CONTAINER]), ("volumes", &VOLUMES)]
    {
        if let Some(items) = pod["spec"][list].as_array_mut() {
            items.retain(|item| !names.contains(&item["name"].as_str().unwrap_or_default()));
        }
    }
    pod
}

fn agents(pod: &Value) -> Vec<&Value> {
    let lists = ["initContainers", "containers"].into_iter();
    let all = lists.filter_map(|list| pod["spec"][list].as_array()).flatten();
    all.filter(|container| container["name"] == CONTAINER).collect()
}

/// What is in `after` that is neither in `fresh` nor harmless.
pub(super) fn compare(after: &Value, fresh: &Value) -> Result<(), String> {
    let (agents, ours) = (agents(after), agents(fresh));
    let ([agent], [ours]) = (agents.as_slice(), ours.as_slice()) else {
        return Err(format!("{} agents", agents.len()));
    };
    for name in VOLUMES {
        let named = |pod: &Value| -> Vec<Value> {
            let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
            volumes.filter(|volume| volume["name"] == name).cloned().collect()
        };
        let mounted = agent["volumeMounts"].as_array().into_iter().flatten();
        if mounted.into_iter().any(|mount| mount["name"] == name) && named(after) != named(fresh) {
            return Err(format!("the volume {name}: {:?}", named(after)));
        }
    }
    let fields =
        agent.as_object().into_iter().flatten().chain(ours.as_object().into_iter().flatten());
    for (field, _) in fields {
        if !is_right(field, &agent[field], &ours[field]) {
            return Err(format!("{field} is {}", agent[field]));
        }
    }
    Ok(())
}

fn is_right(field: &str, is: &Value, ours: &Value) -> bool {
    match field {
        "env" => holds(is, ours, "name", harmless_variable),
        "volumeMounts" => holds(is, ours, "mountPath", harmless_mount),
        "envFrom" => {
            nothing(is) || *is == json!([{"prefix": "CORP_", "configMapRef": {"name": "x"}}])
        }
        "imagePullPolicy" => is == ours || is == "Always",
        "terminationMessagePolicy" => is == ours || is == "FallbackToLogsOnError",
        "resources" => members(is, ours, &["requests", "limits"], |side| {
            side.as_object().is_some_and(|side| {
                side.keys()
                    .all(|name| ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str()))
            })
        }),
        "lifecycle" => {
            members(is, ours, &["preStop"], |stop| *stop == json!({"sleep": {"seconds": 5}}))
        }
        "securityContext" => members(is, ours, &["appArmorProfile", "seLinuxOptions"], |value| {
            [json!({"type": "RuntimeDefault"}), json!({"level": "s0:c1,c2"})].contains(value)
        }),
        _ => same(is, ours),
    }
}

/// Whether `is` has all members of `ours`, and of others only those of `names` that are fine.
fn members(is: &Value, ours: &Value, names: &[&str], fine: impl Fn(&Value) -> bool) -> bool {
    let (Some(is), Some(ours)) = (is.as_object(), ours.as_object()) else { return same(is, ours) };
    let kept = ours.iter().all(|(name, value)| {
        is.get(name).is_some_and(|is| same(is, value) || names.contains(&name.as_str()) && fine(is))
    });
    kept && is.iter().all(|(name, value)| {
        ours.contains_key(name) || nothing(value) || names.contains(&name.as_str()) && fine(value)
    })
}

/// Whether `is` has each of `ours` once, and of others only what is harmless.
fn holds(is: &Value, ours: &Value, key: &str, harmless: fn(&Value) -> bool) -> bool {
    let (Some(is), Some(ours)) = (is.as_array(), ours.as_array()) else { return false };
    let once = ours.iter().all(|our| {
        let named: Vec<&Value> = is.iter().filter(|item| item[key] == our[key]).collect();
        matches!(named.as_slice(), [item] if same(item, our))
    });
    once && is.iter().filter(|item| ours.iter().all(|our| our[key] != item[key])).all(harmless)
}

fn harmless_variable(variable: &Value) -> bool {
    let name = variable["name"].as_str().unwrap_or_default();
    let value = variable["value"].as_str().unwrap_or_default();
    let of_eks = match name {
        "AWS_REGION" => value == "eu-central-1",
        "AWS_ROLE_ARN" => value == "arn:aws:iam::123456789012:role/web",
        "AWS_WEB_IDENTITY_TOKEN_FILE" => {
            value == "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
        }
        _ => false,
    };
    let read = ["MAYFLY_", "AWS_", "LD_", "KUBERNETES_"].iter().any(|read| name.starts_with(read));
    of_eks || !name.is_empty() && !read
}

fn harmless_mount(mount: &Value) -> bool {
    let path = mount["mountPath"].as_str().unwrap_or_default();
    let of_eks = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
    if path == of_eks {
        return *mount == json!({"name": "aws-iam-token", "mountPath": of_eks, "readOnly": true});
    }
    let slashed = |path: &str| format!("{}/", path.trim_end_matches('/'));
    let within = |place: &&str| {
        slashed(path).starts_with(&slashed(place)) || slashed(place).starts_with(&slashed(path))
    };
    let free = !PLACES.iter().chain([&of_eks]).any(within);
    let whose = mount["name"].as_str().unwrap_or_default();
    free && path.starts_with('/')
        && !path.contains("..")
        && whose != "aws-iam-token"
        && !VOLUMES.contains(&whose)
        && mount["mountPropagation"].is_null()
}

/// Whether two values say the same.
fn same(is: &Value, ours: &Value) -> bool {
    match (is, ours) {
        (Value::Object(is), Value::Object(ours)) => {
            ours.iter().all(|(name, value)| is.get(name).is_some_and(|is| same(is, value)))
                && is.iter().all(|(name, value)| ours.contains_key(name) || nothing(value))
        }
        (Value::Array(is), Value::Array(ours)) => {
            is.len() == ours.len() && is.iter().zip(ours).all(|(is, ours)| same(is, ours))
        }
        (is, Value::Null) => nothing(is),
        _ => is == ours,
    }
}

fn nothing(value: &Value) -> bool {
    [json!(null), json!(false), json!(""), json!([]), json!({})].contains(value)
}
