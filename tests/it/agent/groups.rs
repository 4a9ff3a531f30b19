//! A pod is not one transaction: what fails, or hangs, holds back nothing but what belongs with it.

use std::time::Duration;

use mayfly_tests::secret_server::{Fault, Scope};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::pod::{Pod, terminate};

/// Far less than any backend's limit, far more than a loaded machine needs.
const SOON: Duration = Duration::from_secs(6);

async fn pod(files: Value) -> Pod {
    let pod = Pod::new(files).await;
    pod.server.aws().put("db", "one");
    pod.server.vault().put("secret/app", json!({"v": "one", "w": "one"})).expect("a mount");
    pod
}

/// A new value of the secret in AWS arrives as if there were nothing else.
async fn aws_goes_on(pod: &Pod, value: &str) {
    pod.server.aws().put("db", value);
    let began = Instant::now();
    pod.until("the new value", |pod| pod.read("db") == value).await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_secret_that_was_deleted_keeps_no_other_off_the_volume() {
    let files = json!([
        {"path": "db", "from": "aws-sm:db"}, {"path": "v", "from": "vault:secret/app#v"},
        {"path": "w", "from": "vault:secret/app#w"},
    ]);
    let pod = pod(files).await;
    let agent = pod.started().await;
    pod.server.vault().put("secret/app", json!({"v": "two"})).expect("a mount");
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    aws_goes_on(&pod, "two").await;
    // The files of one secret are of one version.
    assert_eq!((pod.read("v"), pod.read("w")), ("one".to_owned(), "one".to_owned()));
    let states = |pod: &Pod| [0, 1].map(|at| pod.status()["references"][at]["state"].clone());
    pod.until("its state", |pod| states(pod) == ["fresh", "stale"]).await;
    pod.server.vault().put("secret/app", json!({"v": "three", "w": "three"})).expect("a mount");
    pod.until("both", |pod| pod.read("v") == "three" && pod.read("w") == "three").await;
    pod.until("ready", |pod| pod.status()["state"] == "ready").await;
    terminate(&agent);
}

#[tokio::test]
async fn twenty_hanging_reads_delay_no_other_backend() {
    let vault =
        |at: usize| json!({"path": format!("v{at}"), "from": format!("vault:secret/{at}#v")});
    let mut files: Vec<Value> = (0..20).map(vault).collect();
    files.push(json!({"path": "db", "from": "aws-sm:db"}));
    let pod = pod(files.into()).await;
    for at in 0..20 {
        pod.server.vault().put(&format!("secret/{at}"), json!({"v": "one"})).expect("a mount");
    }
    let agent = pod.started().await;
    pod.server.faults().always(Scope::Operation("GET /v1/secret/"), Fault::Hang);
    pod.server.faults().always(Scope::Operation("LIST /v1/secret/"), Fault::Hang);
    for value in ["two", "three", "four"] {
        aws_goes_on(&pod, value).await;
    }
    assert_eq!(pod.read("v19"), "one");
    terminate(&agent);
}

#[tokio::test]
async fn a_hanging_login_delays_no_other_backend() {
    let files =
        json!([{"path": "db", "from": "aws-sm:db"}, {"path": "v", "from": "vault:secret/app#v"}]);
    let pod = pod(files).await;
    let agent = pod.started().await;
    pod.server.faults().always(Scope::Operation("POST /v1/auth/"), Fault::Hang);
    pod.server.faults().always(Scope::Operation("PUT /v1/auth/"), Fault::Hang);
    pod.server.vault().revoke_tokens();
    for value in ["two", "three", "four"] {
        aws_goes_on(&pod, value).await;
    }
    assert_eq!(pod.read("v"), "one");
    terminate(&agent);
}

#[tokio::test]
async fn a_named_group_changes_together() {
    let files = json!([
        {"path": "db", "from": "aws-sm:db", "group": "pair"},
        {"path": "v", "from": "vault:secret/app#v", "group": "pair"},
    ]);
    let pod = pod(files).await;
    let agent = pod.started().await;
    pod.server.faults().always(Scope::Operation("GET /v1/secret/"), Fault::Status(503));
    pod.server.aws().put("db", "two");
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    let looked = pod.status()["looked"].clone();
    pod.until("a later look", |pod| pod.status()["looked"] != looked).await;
    assert_eq!(pod.read("db"), "one");
    pod.server.faults().clear();
    pod.until("its value", |pod| pod.read("db") == "two").await;
    terminate(&agent);
}
