//! Where servers of one protocol differ: what OpenBao can, what a performance standby cannot yet.

use serde_json::json;

use super::pod::{Pod, terminate};

const LIST: &str = "LIST /v1/secret/detailed-metadata/app/";

async fn pod() -> Pod {
    let files = ["a", "b", "c"].map(|name| {
        json!({"path": name, "from": format!("vault:secret/app/{name}#v"), "optional": name == "c"})
    });
    let pod = Pod::new(json!(files)).await;
    for name in ["a", "b", "c"] {
        let path = format!("secret/app/{name}");
        pod.server.vault().put(&path, json!({"v": "one"})).expect("a mount");
    }
    pod
}

fn reads(pod: &Pod) -> [usize; 3] {
    ["a", "b", "c"].map(|name| pod.server.count(&format!("GET /v1/secret/data/app/{name}")))
}

#[tokio::test]
async fn openbao_is_asked_for_versions_and_only_what_changed_is_read() {
    let pod = pod().await;
    pod.server.vault().is_openbao = true;
    let agent = pod.started().await;
    pod.until("four looks", |pod| pod.server.count(LIST) >= 4).await;
    assert_eq!(reads(&pod), [1, 1, 1]);
    pod.server.vault().put("secret/app/b", json!({"v": "two"})).expect("a mount");
    pod.until("the new value", |pod| pod.read("b") == "two").await;
    assert_eq!((reads(&pod), pod.read("a")), ([1, 2, 1], "one".to_owned()));
    // Made anew it has the same number; to the second, because so a version's age is kept.
    let a_second_ago = pod.server.count(LIST);
    pod.until("another second", |pod| pod.server.count(LIST) > a_second_ago + 1).await;
    pod.server.vault().remove("secret/app/a");
    pod.server.vault().put("secret/app/a", json!({"v": "anew"})).expect("a mount");
    pod.until("the secret made anew", |pod| pod.read("a") == "anew").await;
    let listed = pod.server.count(LIST);
    pod.server.vault().delete_version("secret/app/c", 1);
    pod.until("its end", |pod| pod.status()["references"][2]["state"] == "stale").await;
    // It may be brought back, so its file is kept.
    assert_eq!((pod.read("b"), pod.read("c")), ("two".to_owned(), "one".to_owned()));
    assert!(pod.server.count(LIST) - listed <= 4, "one listing a look");
    terminate(&agent);
}

#[tokio::test]
async fn vault_which_knows_no_such_listing_is_asked_for_it_once() {
    let pod = pod().await;
    let agent = pod.started().await;
    pod.until("four looks", |pod| reads(pod)[0] >= 4).await;
    assert_eq!(pod.server.count(LIST), 1);
    terminate(&agent);
}

#[tokio::test]
async fn a_standby_that_is_behind_is_told_how_far_it_has_to_be_and_waited_for() {
    let pod = pod().await;
    pod.server.vault().lag = 3;
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("a")), (0, "one".to_owned()), "{said}");
    assert_eq!(pod.server.count("POST /v1/auth/kubernetes/login"), 1);
}

#[tokio::test]
async fn a_standby_that_stays_behind_is_told_of_by_its_name() {
    let pod = pod().await.hasty();
    pod.server.vault().lag = u32::MAX;
    let (code, said) = pod.told("once").await;
    assert!(code == 5 && said.contains("has not caught up yet"), "{code}, {said}");
}
