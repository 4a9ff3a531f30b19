//! An admitted pod of which every field is changed, one at a time and in pairs: what is admitted then has the agent that
//! a pod without one would get, and beside it only what does nothing to it; or it is refused.

mod change;
mod oracle;

use json_patch::patch;
use mayfly_admission::{
    config::Config,
    policy::Directory,
    review::{Decision, review},
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use change::{Change, changes};

/// The creation of `pod`, as the API server asks about it.
fn envelope(pod: &Value) -> Value {
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    let request = json!({"uid": "u", "kind": kind, "operation": "CREATE", "namespace": "default", "object": pod});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
}

/// What became of a pod.
enum End {
    Admitted(Value),
    Refused(String),
    Untouched,
}

fn admit(pod: &Value) -> End {
    let yaml = "agent: {image: 'mayfly-agent:1'}\ndefaults: {vault-address: 'https://vault:8200', vault-role: web}";
    let config = Config::from_yaml(yaml).expect("a configuration");
    let review = review(&config, &Directory::default(), envelope(pod).to_string().as_bytes());
    let operations = review.patch().unwrap_or_default();
    match review.decision {
        Decision::Denied(faults) => End::Refused(faults.to_string()),
        Decision::Injected(_) | Decision::Unchanged => {
            let mut after = pod.clone();
            patch(&mut after, &operations).expect("a patch that fits");
            End::Admitted(after)
        }
        _ => End::Untouched,
    }
}

/// A pod with all that EKS, a mesh and the author give it, and our agent.
fn base() -> Value {
    let annotations = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:prod/db#a", "mayfly.dev/file.b": "vault:secret/app#b"});
    let directory = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
    let env = json!([
        {"name": "AWS_REGION", "value": "eu-central-1"},
        {"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::123456789012:role/web"},
        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": format!("{directory}/token")},
    ]);
    let mounts = json!([{"name": "aws-iam-token", "mountPath": directory, "readOnly": true}]);
    let token =
        json!({"audience": "sts.amazonaws.com", "expirationSeconds": 86400, "path": "token"});
    let volumes = json!([
        {"name": "aws-iam-token", "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": token}]}},
        {"name": "corp", "configMap": {"name": "corp"}},
    ]);
    let app = json!({"name": "app", "image": "app:1", "env": env, "volumeMounts": mounts});
    let side = json!({"name": "side", "image": "side:1"});
    let pod = json!({"metadata": {"name": "web", "annotations": annotations}, "spec": {"containers": [app, side], "volumes": volumes}});
    let End::Admitted(mut after) = admit(&pod) else { unreachable!("the pod is refused") };
    let agent = &mut after["spec"]["initContainers"][0];
    let others = json!({"name": "CORP_PROXY", "value": "http://proxy:3128"});
    agent["env"].as_array_mut().expect("variables").push(others);
    let others = json!({"name": "corp", "mountPath": "/corp", "readOnly": true});
    agent["volumeMounts"].as_array_mut().expect("mounts").push(others);
    after
}

/// What is wrong with the end of `pod`.
fn judge(pod: &Value) -> Result<bool, String> {
    let after = match admit(pod) {
        End::Admitted(after) => after,
        End::Untouched if oracle::asks(pod) => return Err("it asks, and is let through".to_owned()),
        End::Refused(_) | End::Untouched => return Ok(false),
    };
    match admit(&oracle::without_ours(pod)) {
        End::Admitted(fresh) => oracle::compare(&after, &fresh)?,
        End::Refused(faults) => return Err(format!("refused without our agent: {faults}")),
        End::Untouched => return Err("it asks for nothing".to_owned()),
    }
    match admit(&after) {
        End::Admitted(again) if again == after => Ok(true),
        _ => Err("a second look finds something to do".to_owned()),
    }
}

#[test]
fn one_change_of_any_field_ends_with_our_agent_or_a_refusal() {
    let base = base();
    assert_eq!(judge(&base), Ok(true));
    let all = changes(&base);
    assert!(all.len() > 2000, "{} changes", all.len());
    let mut wrong = Vec::new();
    for change in &all {
        let mut pod = base.clone();
        change.apply(&mut pod);
        match judge(&pod) {
            Ok(false) if change.is_to_be_repaired() => wrong.push(format!("{change:?}: refused")),
            Ok(_) => {}
            Err(reason) => wrong.push(format!("{change:?}: {reason}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

#[test]
fn of_a_crowd_of_additions_only_the_first_are_looked_at() {
    let mut pod = base();
    let agent = &mut pod["spec"]["initContainers"][0];
    let variables =
        (0..3000).map(|number| json!({"name": format!("V{number}"), "value": "x".repeat(100)}));
    agent["env"].as_array_mut().expect("variables").extend(variables);
    let mounts =
        (0..600).map(|number| json!({"name": "corp", "mountPath": format!("/corp{number}")}));
    agent["volumeMounts"].as_array_mut().expect("mounts").extend(mounts);
    assert_eq!(judge(&pod), Ok(true));
    let End::Admitted(after) = admit(&pod) else { panic!("the pod is refused") };
    let agent = &after["spec"]["initContainers"][0];
    let count = |list: &str| agent[list].as_array().map_or(0, Vec::len);
    assert_eq!((count("env"), count("volumeMounts")), (500, 500));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_changes_end_so_too(one in any::<Index>(), other in any::<Index>()) {
        thread_local!(static ALL: (Value, Vec<Change>) = {
            let base = base();
            let all = changes(&base);
            (base, all)
        });
        let (pod, told) = ALL.with(|(base, all)| {
            let mut pod = base.clone();
            let (one, other) = (one.get(all), other.get(all));
            one.apply(&mut pod);
            other.apply(&mut pod);
            (pod, format!("{one:?} {other:?}"))
        });
        if let Err(reason) = judge(&pod) {
            prop_assert!(false, "{told}: {reason}");
        }
    }
}
