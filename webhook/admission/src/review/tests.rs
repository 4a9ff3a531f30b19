use serde_json::json;

use super::*;

/// The creation of an annotated pod, with `changes` at their pointers.
fn decide(changes: &[(&str, Value)]) -> Review {
    let mut review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u-1",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "operation": "CREATE",
            "subResource": "",
            "namespace": "default",
            "name": "",
            "dryRun": false,
            "object": {
                "metadata": {
                    "generateName": "web-",
                    "namespace": "default",
                    "annotations": {"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"},
                },
                "spec": {"containers": [{"name": "app"}]},
            },
        },
    });
    for (pointer, value) in changes {
        *review.pointer_mut(pointer).expect(pointer) = value.clone();
    }
    super::review(&Config::default(), &Directory::default(), review.to_string().as_bytes())
}

fn answer(review: &Review) -> Value {
    serde_json::from_slice(&review.answer().expect("an answer")).expect("JSON")
}

// T1
#[test]
fn a_patch_and_its_type_come_together() {
    let review = decide(&[]);
    assert_eq!(review.name, "web-");
    let answer = answer(&review);
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(answer["response"]["uid"], "u-1");
    assert_eq!(answer["response"]["allowed"], true);
    assert_eq!(answer["response"]["patchType"], "JSONPatch");
    assert!(answer["response"]["patch"].as_str().expect("base64").starts_with("W3"));
}

// T2, T3, T6, T50, T60
#[test]
fn what_is_not_for_us_is_allowed_without_a_patch() {
    let pod = "/request/object/metadata/annotations";
    for (pointer, value, reason) in [
        (pod, json!({"example.com/x": "y"}), "not-annotated"),
        (pod, json!({"mayfly.dev/inject": "false", "mayfly.dev/x": "y"}), "switched-off"),
        (pod, Value::Null, "not-annotated"),
        (pod, json!({"mayfly.dev/inject": "yes", "kubernetes.io/config.mirror": "x"}), "mirror"),
        ("/request/operation", json!("UPDATE"), "not-a-pod-creation"),
        ("/request/subResource", json!("ephemeralcontainers"), "not-a-pod-creation"),
        ("/request/kind/kind", json!("Deployment"), "not-a-pod-creation"),
        ("/request/kind/group", json!("example.com"), "not-a-pod-creation"),
    ] {
        let review = decide(&[(pointer, value)]);
        assert_eq!(review.decision.reason(), reason);
        assert_eq!(answer(&review)["response"], json!({"uid": "u-1", "allowed": true}));
    }
}

#[test]
fn two_switches_that_do_not_agree_are_refused() {
    let pod = "/request/object/metadata/annotations";
    let switched = |first: &str, second: &str| {
        let file = "aws-sm:a";
        let both = json!({"Mayfly.dev/Inject": first, "mayfly.dev/inject": second, "mayfly.dev/file.a": file});
        decide(&[(pod, both)])
    };
    for (first, second) in [("false", "true"), ("true", "false")] {
        let review = switched(first, second);
        let answer = answer(&review);
        assert_eq!(answer["response"]["allowed"], false, "{first} {second}");
        let message = answer["response"]["status"]["message"].as_str().expect("a message");
        assert!(message.starts_with("mayfly: `mayfly.dev/inject`: given twice"), "{message}");
    }
    assert_eq!(switched("false", "false").decision.reason(), "switched-off");
}

// T22
#[test]
fn the_namespace_is_the_requests() {
    let review = decide(&[("/request/object/metadata/namespace", Value::Null)]);
    assert_eq!((review.decision.name(), review.namespace.as_str()), ("injected", "default"));
    let review = decide(&[("/request/object/metadata/namespace", json!("kube-system"))]);
    let answer = answer(&review);
    assert_eq!(answer["response"]["allowed"], false);
    assert_eq!(answer["response"]["status"]["code"], 403);
    let message = answer["response"]["status"]["message"].as_str().expect("a message");
    assert!(message.contains("not the namespace of the request"), "{message}");
}

// T23
#[test]
fn a_dry_run_is_answered_alike() {
    let dry = decide(&[("/request/dryRun", json!(true))]);
    assert_eq!(answer(&dry), answer(&decide(&[])));
}

#[test]
fn a_creation_without_its_object_is_malformed() {
    let review = decide(&[("/request/object", Value::Null)]);
    assert_eq!(review.decision.reason(), "object");
    review.answer().expect_err("no answer");
}

#[test]
fn a_pod_of_no_pods_shape_is_denied() {
    for (pointer, value) in [
        ("/request/object/spec", json!([])),
        ("/request/object/spec/containers", json!({"name": "app"})),
        ("/request/object/spec/containers", json!(["app"])),
        ("/request/object/spec/containers/0", json!({"name": "app", "env": "x"})),
        ("/request/object/spec/containers/0", json!({"name": "app", "volumeMounts": [1]})),
    ] {
        assert_eq!(decide(&[(pointer, value)]).decision.name(), "denied", "{pointer}");
    }
}

#[test]
fn warnings_go_with_either_answer() {
    let spec = json!({"hostPID": true, "containers": [{"name": "app"}]});
    let answer = answer(&decide(&[("/request/object/spec", spec)]));
    let warning = answer["response"]["warnings"][0].as_str().expect("a warning");
    assert!(warning.starts_with("mayfly: hostPID") && warning.len() <= 120, "{warning}");
}

// T32
#[test]
fn a_thousand_containers_are_one_pod() {
    let containers: Vec<Value> =
        (0..1000).map(|number| json!({"name": format!("c{number}")})).collect();
    let review = decide(&[("/request/object/spec/containers", containers.into())]);
    assert_eq!(review.decision.name(), "injected");
    assert!(review.patch().expect("a patch").len() > 1000);
}

// T8
#[test]
fn depth_is_bounded() {
    for (depth, name) in [(100, "injected"), (140, "malformed"), (100_000, "denied")] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let pod = r#"{"metadata":{"annotations":{"mayfly.dev/inject":"true","mayfly.dev/file.a":"aws-sm:a"}},"spec":{"containers":[{"name":"app"}],"x":DEEP}}"#;
        let body = format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"CREATE","kind":{{"group":"","version":"v1","kind":"Pod"}},"object":{}}}}}"#,
            pod.replace("DEEP", &deep)
        );
        assert_eq!(
            super::review(&Config::default(), &Directory::default(), body.as_bytes())
                .decision
                .name(),
            name,
            "{depth}"
        );
    }
}

#[test]
fn the_audit_log_learns_who_asked_for_what() {
    let annotations = json!({
        "mayfly.dev/inject": "true",
        "mayfly.dev/file.a": "aws-sm:prod/db#password",
        "mayfly.dev/file.b": "aws-sm:prod/db#password",
        "mayfly.dev/file.c": "vault:secret/app?version=3",
        "mayfly.dev/file.d": "kms:AQEATmFybjphd3M6a21zOmV1LWNlbnRyYWwtMToxMjM0NTY3ODkwMTI6a2V5LzZmMWMyYjFlLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMQBAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-PwEBAQEBAQEBAQEBAWRlZmdoaWprbG1ub3BxcnN0dXZ3eHl6ew#user",
        "mayfly.dev/vault-role": "web",
        "mayfly.dev/vault-address": "https://vault.example:8200",
    });
    let at = "/request/object/metadata/annotations";
    let denied = answer(&decide(&[(at, annotations)]));
    let expected = json!({
        "decision": "denied",
        "mode": "sidecar",
        "references": "aws-sm:prod/db#password vault:secret/app?version=3 \
                       kms:arn:aws:kms:eu-central-1:123456789012:key/6f1c2b1e-0000-4000-8000-000000000001#user",
    });
    assert_eq!(denied["response"]["auditAnnotations"], expected);
    let admitted = answer(&decide(&[]));
    let expected = json!({"decision": "admitted", "mode": "sidecar", "references": "aws-sm:a"});
    assert_eq!(admitted["response"]["auditAnnotations"], expected);
}

/// The API server keeps the first value of a key and complains about another.
#[test]
fn a_second_look_tells_the_audit_log_the_same() {
    let first = decide(&[]);
    let mut pod = json!({
        "metadata": {
            "generateName": "web-",
            "namespace": "default",
            "annotations": {"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"},
        },
        "spec": {"containers": [{"name": "app"}]},
    });
    json_patch::patch(&mut pod, &first.patch().expect("a patch")).expect("an admitted pod");
    let second = decide(&[("/request/object", pod)]);
    assert_eq!(second.decision.name(), "unchanged");
    let told = |review: &Review| answer(review)["response"]["auditAnnotations"].clone();
    assert_eq!(told(&second), told(&first));
}

/// References that differ behind a long path are two, and both are told whole.
#[test]
fn the_audit_log_learns_long_references_whole() {
    let path = format!("aws-sm:{}", "team/".repeat(40));
    let [first, second] = ["a", "b"].map(|name| format!("{path}{name}"));
    let annotations = json!({
        "mayfly.dev/inject": "true",
        "mayfly.dev/file.a": first,
        "mayfly.dev/file.b": second,
    });
    let review = decide(&[("/request/object/metadata/annotations", annotations)]);
    let told = format!("{first} {second}");
    assert_eq!(answer(&review)["response"]["auditAnnotations"]["references"], told);
}
