//! What others may do to the agent of an admitted pod, or an author to a forged one.

use mayfly_admission::names::CONTAINER;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

/// One member of the agent's container, set to something else; nothing takes it away.
#[derive(Debug, Clone)]
pub(super) struct Touch {
    path: &'static str,
    value: Option<Value>,
}

fn touch(path: &'static str, value: Option<Value>) -> Touch {
    Touch { path, value }
}

/// What only takes away, or is put back: the pod stays admitted.
pub(super) fn harmless() -> impl Strategy<Value = Touch> {
    select(vec![
        touch("/image", Some(json!("example/another:1"))),
        touch("/imagePullPolicy", Some(json!("Always"))),
        touch("/securityContext/seLinuxOptions", Some(json!({"level": "s0:c1"}))),
        touch("/securityContext/appArmorProfile", Some(json!({"type": "RuntimeDefault"}))),
        touch("/securityContext/runAsUser", Some(json!(0))),
        touch("/securityContext/runAsUser", None),
        touch("/resources", Some(json!({}))),
        touch(
            "/resizePolicy",
            Some(json!([{"resourceName": "cpu", "restartPolicy": "NotRequired"}])),
        ),
    ])
}

/// What makes it somebody else's.
pub(super) fn harmful() -> impl Strategy<Value = Touch> {
    select(vec![
        touch("/command", Some(json!(["/bin/sh"]))),
        touch("/args", Some(json!(["--config=/app/mine"]))),
        touch("/workingDir", Some(json!("/app"))),
        touch("/envFrom", Some(json!([{"secretRef": {"name": "x"}}]))),
        touch("/ports", Some(json!([{"containerPort": 80, "hostPort": 80}]))),
        touch("/lifecycle", Some(json!({"preStop": {"exec": {"command": ["/bin/sh"]}}}))),
        touch("/env/-", Some(json!({"name": "LD_PRELOAD", "value": "/app/evil.so"}))),
        touch(
            "/volumeMounts/-",
            Some(json!({"name": "mayfly-secrets", "mountPath": "/mayfly-agent"})),
        ),
        touch("/securityContext", None),
        touch("/securityContext/privileged", Some(json!(true))),
        touch("/securityContext/allowPrivilegeEscalation", Some(json!(true))),
        touch("/securityContext/capabilities", Some(json!({"add": ["SYS_ADMIN"]}))),
        touch("/securityContext/runAsNonRoot", Some(json!(false))),
        touch("/securityContext/readOnlyRootFilesystem", None),
        touch("/securityContext/procMount", Some(json!("Unmasked"))),
        touch("/securityContext/seccompProfile", Some(json!({"type": "Unconfined"}))),
    ])
}

impl Touch {
    /// Does it to the one agent of `pod`, where it is.
    pub(super) fn apply(&self, pod: &mut Value) {
        let lists = ["initContainers", "containers"];
        let list = lists.into_iter().find(|list| {
            let containers = pod["spec"][list].as_array();
            containers.into_iter().flatten().any(|container| container["name"] == CONTAINER)
        });
        let containers = pod["spec"][list.expect("an agent")].as_array_mut().expect("a list");
        let agent = containers.iter_mut().find(|container| container["name"] == CONTAINER);
        let (parent, name) = self.path.rsplit_once('/').expect("a path");
        let parent = agent.expect("an agent").pointer_mut(parent).expect("its parent");
        match (parent, &self.value) {
            (Value::Array(items), Some(value)) => items.push(value.clone()),
            (Value::Object(members), Some(value)) => {
                members.insert(name.to_owned(), value.clone());
            }
            (Value::Object(members), None) => {
                members.shift_remove(name);
            }
            (other, _) => unreachable!("{}: {other}", self.path),
        }
    }
}
