//! An agent's whole life: start, rotation, outage, renewal, end.

use std::{process::Stdio, time::Duration};

use serde_json::json;
use tokio::time::{Instant, timeout};

use super::pod::{Pod, terminate};

async fn pod() -> Pod {
    let pod = Pod::new(json!([
        {"path": "a", "from": "aws-sm:a"}, {"path": "b", "from": "vault:secret/b#v"}
    ]))
    .await;
    put(&pod, "one");
    pod
}

fn put(pod: &Pod, value: &str) {
    pod.server.aws().put("a", value);
    pod.server.vault().put("secret/b", json!({"v": value})).expect("a mount");
}

fn reads(pod: &Pod, value: &str) -> bool {
    pod.read("a") == value && pod.read("b") == value
}

#[tokio::test]
async fn a_rotated_secret_arrives_with_the_next_look() {
    let pod = pod().await;
    let agent = pod.started().await;
    assert!(reads(&pod, "one"));
    put(&pod, "two");
    pod.until("the new value", |pod| reads(pod, "two")).await;
    pod.until("the new status", |pod| pod.status()["generation"].as_u64() >= Some(2)).await;
    terminate(&agent);
}

#[tokio::test]
async fn an_outage_is_told_and_its_end_needs_no_restart() {
    let mut pod = pod().await;
    let agent = pod.started().await;
    pod.server.go_dark().await;
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    assert!(reads(&pod, "one"));
    let (_, said) = pod.told("status").await;
    assert!(said.contains("the last look failed") && said.contains("no connection to"), "{said}");
    pod.server.come_back().await.expect("the same port");
    put(&pod, "two");
    pod.until("recovery", |pod| reads(pod, "two") && pod.status()["state"] == "ready").await;
    terminate(&agent);
}

#[tokio::test]
async fn revoked_tokens_and_expired_sessions_are_renewed() {
    let pod = pod().await;
    let agent = pod.started().await;
    pod.server.vault().revoke_tokens();
    pod.server.aws().expire_sessions();
    put(&pod, "two");
    pod.until("the new value", |pod| reads(pod, "two")).await;
    assert_eq!(
        pod.server.count("PUT /v1/auth/kubernetes/login")
            + pod.server.count("POST /v1/auth/kubernetes/login"),
        2
    );
    assert_eq!(pod.server.count("AssumeRoleWithWebIdentity"), 2);
    terminate(&agent);
}

#[tokio::test]
async fn a_rotated_service_account_token_is_read_anew() {
    let pod = pod().await;
    let agent = pod.started().await;
    pod.server.aws().trust(super::pod::ROLE, "the-next-token");
    pod.server.vault().trust("kubernetes", "web", "the-next-token");
    pod.write("token", "the-next-token");
    pod.server.aws().expire_token(super::pod::JWT);
    pod.server.vault().revoke_tokens();
    pod.server.aws().expire_sessions();
    put(&pod, "two");
    pod.until("the new value", |pod| reads(pod, "two")).await;
    terminate(&agent);
}

#[tokio::test]
async fn the_end_is_quick_and_clean_and_gives_the_token_back() {
    let pod = pod().await;
    let mut agent = pod.started().await;
    assert_eq!(pod.server.vault().live_tokens().len(), 1);
    let began = Instant::now();
    terminate(&agent);
    let ended =
        timeout(Duration::from_secs(5), agent.wait()).await.expect("an end").expect("a status");
    assert_eq!(ended.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(pod.server.vault().live_tokens().is_empty());
    assert!(reads(&pod, "one"));
}

#[tokio::test]
async fn an_init_container_leaves_its_token_to_the_app() {
    let mut pod = pod().await;
    pod.spec["mode"] = json!("init");
    assert_eq!(pod.told("run").await.0, 0);
    assert!(reads(&pod, "one"));
    assert_eq!(pod.server.vault().live_tokens().len(), 1);
}

#[tokio::test]
async fn the_end_during_a_stalled_start_is_quick_too() {
    use mayfly_tests::secret_server::{Fault, Scope};
    let pod = pod().await;
    pod.server.faults().always(Scope::All, Fault::Hang);
    let mut agent = pod.agent("run").spawn().expect("an agent");
    pod.until("a first request", |pod| !pod.server.requests().is_empty()).await;
    terminate(&agent);
    let ended =
        timeout(Duration::from_secs(2), agent.wait()).await.expect("an end").expect("a status");
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn the_gate_is_closed_until_there_are_files() {
    let pod = pod().await;
    assert_eq!(pod.told("wait --timeout 0s").await.0, 1);
    assert_eq!(pod.told("once").await.0, 0);
    assert_eq!(pod.told("wait --timeout 0s").await.0, 0);
}

#[tokio::test]
async fn an_agent_that_cannot_start_tells_the_hook_and_leaves_its_end_to_the_kubelet() {
    let pod = Pod::new(json!([{"path": "gone", "from": "aws-sm:gone"}])).await;
    let mut agent = pod.agent("run --gate=hook").spawn().expect("an agent");
    let began = Instant::now();
    let (code, said) = pod.told("wait --timeout=5m").await;
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("aws-sm:gone"), "{said}");
    assert!(agent.try_wait().expect("a status").is_none(), "it ended before the hook");
    terminate(&agent);
    let ended =
        timeout(Duration::from_secs(5), agent.wait()).await.expect("an end").expect("a status");
    assert_eq!(ended.code(), Some(4));
    assert!(pod.read("termination").contains("aws-sm:gone"));

    // Its verdict is not the next one's.
    pod.server.aws().put("gone", "there");
    let agent = pod.agent("run --gate=hook").spawn().expect("an agent");
    let (code, said) = pod.told("wait --timeout=20s").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(pod.read("gone"), "there");
    terminate(&agent);
}

#[tokio::test]
async fn an_agent_without_a_configuration_does_not_end_before_the_hook_either() {
    let mut pod = pod().await;
    pod.spec["nonsense"] = json!(true);
    let mut agent = pod.agent("run --gate=hook").stdout(Stdio::null()).spawn().expect("an agent");
    assert_eq!(pod.told("wait --timeout=5m").await.0, 2);
    assert!(agent.try_wait().expect("a status").is_none(), "it ended before the hook");
    terminate(&agent);
    let ended =
        timeout(Duration::from_secs(5), agent.wait()).await.expect("an end").expect("a status");
    assert_eq!(ended.code(), Some(2));
}

#[tokio::test]
async fn the_gate_of_the_parallel_mode_opens_at_its_limit() {
    let mut pod = pod().await;
    pod.spec["mode"] = json!("parallel");
    let (code, said) = pod.told("wait --timeout 1s").await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("starts without secrets"), "{said}");
}
