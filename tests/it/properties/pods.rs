//! Pods that nobody wrote: every shape that decides something, and fields that nobody knows.

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Map, Value, json};

/// The creation of `pod`, as the API server asks about it.
pub(super) fn envelope(pod: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "operation": "CREATE",
            "namespace": "default",
            "object": pod,
        },
    })
}

/// Any JSON, with the names that we look for among its keys.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        select(vec![
            "annotations",
            "containers",
            "initContainers",
            "volumes",
            "env",
            "volumeMounts",
            "name",
            "securityContext",
            "runAsUser",
            "fsGroup",
            "restartPolicy",
            "resources",
            "limits",
            "cpu",
            "mountPath",
            "mayfly.dev/inject",
            "mayfly.dev/file.a",
            "mayfly.dev/files",
            "os",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec!["true", "mayfly-agent", "mayfly-secrets", "Always", "windows", "aws-sm:a"])
            .prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An annotated pod of a sound shape, some of which ask for what they cannot get.
pub(super) fn any_pod() -> impl Strategy<Value = Value> {
    let all = ["app", "worker", "istio-proxy", "linkerd-proxy", "log/~0", "setup", "migrate", "x"];
    let names = subsequence(all.to_vec(), 1..6).prop_shuffle();
    let parts = (names, vec(any_container(), 6), 0_usize..4, any_annotations(), any_spec());
    parts.prop_map(|(names, containers, init, annotations, mut spec)| {
        let pairs = names.into_iter().zip(containers);
        let mut init_containers: Vec<Value> = pairs.map(|(name, container)| with_name(name, container)).collect();
        let regular = init_containers.split_off(init.min(init_containers.len() - 1));
        if !init_containers.is_empty() {
            spec.insert("initContainers".to_owned(), init_containers.into());
        }
        spec.insert("containers".to_owned(), regular.into());
        json!({"metadata": {"name": "web", "annotations": annotations, "unknown": {"deep": [1]}}, "spec": spec})
    })
}

fn with_name(name: &str, mut container: Value) -> Value {
    container["name"] = name.into();
    container
}

fn any_container() -> impl Strategy<Value = Value> {
    let mount = select(vec!["/cache", "/etc/app", "/tmp", "/data/a~b", "/run/mayfly2"]);
    let mounts = prop_oneof![Just(Value::Null), vec(mount, 0..3).prop_map(|paths| {
        paths.iter().map(|path| json!({"name": "data", "mountPath": path, "bindMountOptions": ["noexec"]})).collect()
    })];
    let user = option::of(select(vec![0, 1000, 2000]));
    let env = option::of(Just(json!([{"name": "A", "value": "$(B)", "unknown": 1}])));
    let resources = option::of(select(vec![
        json!({"limits": {"cpu": "1", "memory": "1Gi"}}),
        json!({"requests": {"cpu": "1"}}),
    ]));
    (mounts, user, env, resources, any::<bool>(), any::<bool>()).prop_map(|(mounts, user, env, resources, sidecar, has_mounts)| {
        let mut container = json!({"name": "", "image": "app:1", "restartPolicyRules": [{"action": "Restart"}]});
        let mut put = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                container[field] = value;
            }
        };
        put("volumeMounts", has_mounts.then_some(mounts));
        put("securityContext", user.map(|user| json!({"runAsUser": user})));
        put("env", env);
        put("resources", resources);
        put("restartPolicy", sidecar.then(|| "Always".into()));
        container
    })
}

fn any_spec() -> impl Strategy<Value = Map<String, Value>> {
    let security = option::of(select(vec![
        json!({"runAsUser": 1000}),
        json!({"fsGroup": 3000}),
        json!({"runAsUser": 1000, "fsGroup": 3000, "supplementalGroups": [1]}),
    ]));
    let policy =
        option::weighted(0.3, select(vec!["Always", "OnFailure", "Never"]).prop_map(Value::from));
    let volumes = option::of(Just(json!([{"name": "data", "emptyDir": {"mode": 0o750}}])));
    let unknown = option::of(Just(json!({"name": "gang"})));
    (security, policy, volumes, unknown).prop_map(|(security, policy, volumes, unknown)| {
        let members = [
            ("securityContext", security),
            ("restartPolicy", policy),
            ("volumes", volumes),
            ("schedulingGroup", unknown),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

fn any_annotations() -> impl Strategy<Value = Map<String, Value>> {
    let choices = vec![
        ("mode", "sidecar"),
        ("mode", "init"),
        ("mode", "parallel"),
        ("gate", "probe"),
        ("refresh", "1h"),
        ("start-deadline", "10s"),
        ("mount-path", "/etc/secrets"),
        ("mount-path", "/cache"),
        ("containers", "app"),
        ("path-env", "A_FILE=a"),
        ("path-env", "A=a"),
        ("file.b.json", "vault:secret/app"),
        ("file.b", "vualt:x"),
        ("dir.tls", "aws-sm:prod/tls"),
        ("aws-role-arn", "arn:aws:iam::123456789012:role/r"),
        ("cpu-limit", "100m"),
        ("memory-limit", "none"),
        ("ephemeral-storage-limit", "1Gi"),
        ("volume-size", "100Mi"),
        ("vault-audience", "vault"),
        ("inject", "false"),
        ("files", "[{path: x/y, from: 'aws-sm:x', mode: '0440'}]"),
        ("templates", "x"),
        ("template.c", "{{ secret('vault:secret/app').a | shell }}\n"),
        ("template.c", "{{ secret(x) }}"),
    ];
    let some = vec(select(choices), 0..5);
    some.prop_map(|some| {
        let always = [("inject", "true"), ("file.a", "aws-sm:prod/db#a")];
        let named = always.into_iter().chain(some);
        named.map(|(name, value)| (format!("mayfly.dev/{name}"), value.into())).collect()
    })
}
