//! All changes of a pod that are tried: each field away, and each with other values; in each object a member more, in
//! each list an item more.

use serde_json::{Value, json};

/// One change, at a JSON Pointer.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Remove(String),
    Set(String, Value),
    Put(String, &'static str, Value),
    Push(String, Value),
}

impl Change {
    /// Makes it, if what it is about is there.
    pub(super) fn apply(&self, pod: &mut Value) {
        match self {
            Self::Remove(at) => {
                let Some((parent, name)) = at.rsplit_once('/') else { return };
                let name = name.replace("~1", "/").replace("~0", "~");
                match pod.pointer_mut(parent) {
                    Some(Value::Object(members)) => drop(members.shift_remove(&name)),
                    Some(Value::Array(items)) => {
                        let index = name.parse().ok().filter(|index| *index < items.len());
                        index.map(|index: usize| items.remove(index));
                    }
                    _ => {}
                }
            }
            Self::Set(at, value) => {
                if let Some(there) = pod.pointer_mut(at) {
                    *there = value.clone();
                }
            }
            Self::Put(at, name, value) => {
                if let Some(Value::Object(members)) = pod.pointer_mut(at) {
                    members.insert((*name).to_owned(), value.clone());
                }
            }
            Self::Push(at, value) => {
                if let Some(Value::Array(items)) = pod.pointer_mut(at) {
                    items.push(value.clone());
                }
            }
        }
    }

    /// Whether it is about a part of our container by which nobody would know that it is not ours.
    pub(super) fn is_to_be_repaired(&self) -> bool {
        let (Self::Remove(at) | Self::Set(at, _) | Self::Put(at, ..) | Self::Push(at, _)) = self;
        let Some(field) = at.strip_prefix("/spec/initContainers/0/") else {
            return matches!(self, Self::Put(at, name, _) if at == "/spec/initContainers/0" && !["name", "env", "volumeMounts"].contains(name));
        };
        let first = field.split('/').next().unwrap_or_default();
        !["name", "command", "env", "volumeMounts"].contains(&first)
    }
}

/// All changes of `pod`.
pub(super) fn changes(pod: &Value) -> Vec<Change> {
    let mut all = Vec::new();
    add(pod, "", &mut all);
    all
}

fn add(value: &Value, at: &str, all: &mut Vec<Change>) {
    if !at.is_empty() {
        all.push(Change::Remove(at.to_owned()));
        let others = [
            json!(null),
            json!(""),
            json!("$(X)"),
            json!(7),
            json!(true),
            json!(false),
            json!([]),
            json!({}),
            json!("/mayfly-agent"),
        ];
        all.extend(others.into_iter().map(|other| Change::Set(at.to_owned(), other)));
    }
    match value {
        Value::Object(members) => {
            let more = members_of_others().into_iter();
            all.extend(more.map(|(name, value)| Change::Put(at.to_owned(), name, value)));
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                add(value, &format!("{at}/{name}"), all);
            }
        }
        Value::Array(items) => {
            all.extend(items_of_others().into_iter().map(|item| Change::Push(at.to_owned(), item)));
            for (index, value) in items.iter().enumerate() {
                add(value, &format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
}

/// What a container, a mount, a volume or a security context can have, and ours must not have of somebody.
fn members_of_others() -> Vec<(&'static str, Value)> {
    vec![
        ("args", json!(["run", "--config=/x"])),
        ("envFrom", json!([{"configMapRef": {"name": "x"}}])),
        (
            "envFrom",
            json!([{"prefix": "AWS_", "secretRef": {"name": "x"}}, {"prefix": "CORP_", "configMapRef": {"name": "x"}}]),
        ),
        ("workingDir", json!("/x")),
        ("ports", json!([{"containerPort": 1, "hostPort": 1}])),
        ("livenessProbe", json!({"exec": {"command": ["/x"]}})),
        ("volumeDevices", json!([{"name": "x", "devicePath": "/x"}])),
        ("restartPolicyRules", json!([{"action": "Restart"}])),
        ("stdin", json!(true)),
        ("tty", json!(false)),
        ("preStop", json!({"exec": {"command": ["/x"]}})),
        ("preStop", json!({"sleep": {"seconds": 5}})),
        ("claims", json!([{"name": "x"}])),
        ("cpu", json!("64")),
        ("subPath", json!("x")),
        ("subPathExpr", json!("$(X)")),
        ("mountPropagation", json!("Bidirectional")),
        ("hostPath", json!({"path": "/"})),
        ("medium", json!("")),
        ("secret", json!({"name": "x"})),
        ("privileged", json!(true)),
        ("appArmorProfile", json!({"type": "Unconfined"})),
        ("appArmorProfile", json!({"type": "RuntimeDefault"})),
        ("seLinuxOptions", json!({"type": "spc_t"})),
        ("seLinuxOptions", json!({"level": "s0:c1,c2"})),
        ("procMount", json!("Unmasked")),
        ("add", json!(["SYS_ADMIN"])),
        ("unknown", json!("x")),
    ]
}

/// Variables, mounts, volumes, sources, words.
fn items_of_others() -> Vec<Value> {
    let named = |name: &str| json!({"name": name, "value": "x"});
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path, "readOnly": true});
    vec![
        named("MAYFLY_CONFIG"),
        named("MAYFLY_POD_NAME"),
        named("AWS_ROLE_ARN"),
        named("AWS_ENDPOINT_URL"),
        named("LD_LIBRARY_PATH"),
        named("GOMAXPROCS"),
        json!({"name": "KUBERNETES_SERVICE_HOST", "value": ""}),
        json!({"name": "TZ", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
        mount("corp", "/mayfly-agent"),
        mount("corp", "/"),
        mount("corp", "/etc/ssl/certs"),
        mount("corp", "/etc/resolv.conf"),
        mount("corp", "/run/mayfly/x"),
        mount("corp", "/x/../mayfly-agent"),
        mount("corp", "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
        mount("aws-iam-token", "/mayfly-agent"),
        mount("mayfly-state", "/elsewhere"),
        mount("kube-api-access-x", "/run/secrets/kubernetes.io/serviceaccount"),
        mount("corp", "/usr/share/zoneinfo"),
        json!({"name": "mayfly-secrets", "hostPath": {"path": "/"}}),
        json!({"configMap": {"name": "x"}}),
        json!("x"),
    ]
}
