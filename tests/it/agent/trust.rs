//! What the agent believes: its own memory, and nothing that others could have written.
#![expect(clippy::disallowed_methods, reason = "others write into the volume here")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use serde_json::{Value, json};

use super::pod::{Pod, terminate};

async fn pod() -> Pod {
    let mut pod = Pod::new(json!([{"path": "db", "from": "aws-ssm:/db"}])).await;
    pod.spec["state"] = json!("/state");
    pod.server.aws().put_parameter("/db", "one");
    pod
}

fn plant(pod: &Pod, name: &str, text: &str) {
    pod.write(&format!("run/mayfly/{name}.planted"), text);
    let at = |name: &str| pod.root.path().join("run/mayfly").join(name);
    fs::rename(at(&format!("{name}.planted")), at(name)).expect("planted");
}

/// A planted account of newer versions makes no good value an older one.
#[tokio::test]
async fn a_planted_status_is_not_believed_and_not_shown() {
    let pod = pod().await;
    assert_eq!(pod.told("once").await.0, 0);
    let mut planted: Value = pod.status();
    planted["references"][0]["version"] = json!("99\u{1b}[31m");
    planted["references"][0]["created"] = json!("2999-01-01T00:00:00Z");
    planted["generation"] = json!(u64::MAX);
    planted["error"] = json!({"class": "refused", "message": "\u{1b}]0;planted\u{7}"});
    plant(&pod, "status.json", &planted.to_string());
    for arguments in ["status", "status --json"] {
        let (code, said) = pod.told(arguments).await;
        assert_eq!(code, 0, "{said}");
        assert!(!said.contains("planted") && !said.contains("99"), "{said}");
    }
    pod.server.aws().put_parameter("/db", "two");
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("db").as_str()), (0, "two"), "{said}");
    assert_eq!(pod.status()["generation"], 2);
}

#[tokio::test]
async fn a_planted_generation_does_not_open_the_gate_and_is_mended() {
    let pod = pod().await;
    assert_eq!(pod.told("once").await.0, 0);
    let data = pod.root.path().join("run/mayfly/..data");
    let planted = ["..18446744073709551615-00000000", "/etc", "nowhere"];
    for target in planted {
        fs::remove_file(&data).expect("removed");
        symlink(target, &data).expect("planted");
        assert_ne!(pod.told("wait --timeout 0s").await.0, 0, "{target}");
        let (code, said) = pod.told("once").await;
        assert_eq!((code, pod.read("db").as_str()), (0, "one"), "{said}");
        assert_eq!(pod.told("wait --timeout 0s").await.0, 0, "{target}");
        assert_eq!(pod.status()["generation"], 1);
    }
    fs::remove_file(&data).expect("removed");
    fs::create_dir_all(data.join("db")).expect("planted");
    assert_ne!(pod.told("wait --timeout 0s").await.0, 0);
    assert_eq!(pod.told("once").await.0, 0);
    assert_eq!(pod.told("wait --timeout 0s").await.0, 0);
}

/// The state may say which version is held and which tokens there are; so it is read only from a file
/// that nobody else could have written.
#[tokio::test]
async fn a_state_that_others_may_write_is_refused() {
    for name in ["memory.json", "vault.json", "status.json"] {
        let pod = pod().await;
        assert_eq!(pod.told("once").await.0, 0);
        let file = pod.root.path().join("state").join(name);
        pod.write(&format!("state/{name}"), "ATTACKER");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).expect("set");
        pod.server.aws().put_parameter("/db", "two");
        let (code, said) = pod.told("once").await;
        assert_eq!((code, pod.read("db").as_str()), (6, "one"), "{said}");
        let told = pod.read("termination");
        assert!(told.contains(&format!("{name}` can be written by others")), "{told}");
    }
}

#[tokio::test]
async fn two_agents_do_not_share_a_state() {
    let pod = pod().await;
    let agent = pod.started().await;
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("another mayfly-agent"), "{said}");
    terminate(&agent);
}

/// Outside a pod people keep files of their own beside the agent's.
#[tokio::test]
async fn a_persons_own_status_is_not_overwritten() {
    let mut pod = pod().await;
    pod.spec.as_object_mut().expect("an object").remove("mode");
    fs::create_dir_all(pod.root.path().join("run/mayfly")).expect("made");
    pod.write("run/mayfly/status.json", "mine");
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("status.json").as_str()), (6, "mine"), "{said}");
    assert!(said.contains("is not this agent's"), "{said}");
    fs::remove_file(pod.root.path().join("run/mayfly/status.json")).expect("removed");
    assert_eq!(pod.told("once").await.0, 0);
    assert_eq!(pod.told("once").await.0, 0);
}

/// A parameter that was rolled back, in `once`s a minute apart: the second believes it. The first one
/// says when. Time is moved by the memory's own file.
#[tokio::test]
async fn a_rollback_is_believed_across_processes() {
    let pod = pod().await;
    pod.server.aws().put_parameter("/db", "two");
    assert_eq!(pod.told("once").await.0, 0);
    let newer = r#""version":"2""#;
    let memory = fs::read_to_string(pod.root.path().join("state/memory.json")).expect("a memory");
    assert!(memory.contains(newer), "{memory}");
    let rewrite = |from: &str, to: &str| {
        let path = pod.root.path().join("state/memory.json");
        let memory = fs::read_to_string(&path).expect("a memory");
        assert!(memory.contains(from), "{memory}");
        fs::write(path, memory.replace(from, to)).expect("written");
    };
    // What is answered now is older than what was believed.
    rewrite(newer, r#""version":"3""#);
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("it is believed if it is still the answer at"), "{said}");
    let memory = fs::read_to_string(pod.root.path().join("state/memory.json")).expect("a memory");
    let since: Value = serde_json::from_str(&memory).expect("JSON");
    let since =
        since["references"]["aws-ssm:/db"]["older-since"].as_str().expect("a time").to_owned();
    rewrite(&since, "2020-01-01T00:00:00Z");
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("db").as_str()), (0, "two"), "{said}");
}
