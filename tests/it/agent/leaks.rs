//! No value and no token is ever said, at any level, whatever goes wrong.

use std::time::Duration;

use mayfly_tests::secret_server::{Fault, Scope, vault::Engine};
use serde_json::json;

use super::pod::{JWT, Pod, terminate};

const VALUE: &str = "canary-value-5b21c0de";

#[tokio::test]
async fn nothing_is_said_at_the_most_talkative_level() {
    let mut pod = Pod::new(json!([
        {"path": "a", "from": "aws-sm:a#v"}, {"path": "b.json", "from": "vault:secret/b"},
        {"path": "c.env", "from": "vault:secret/b"}, {"path": "d", "from": "vault:secret/b#none", "optional": true},
        {"path": "e.json", "from": "vault:database/creds/web"},
        {"path": "f", "from": "vault-write:pki/issue/web?common_name=web#private_key"},
    ]))
    .await;
    pod.spec["state"] = json!("/state");
    pod.server.vault().mount_engine("database", Engine::Database);
    pod.server.vault().mount_engine("pki", Engine::Pki);
    pod.server.aws().put("a", json!({"v": VALUE}).to_string());
    pod.server.vault().put("secret/b", json!({"v": VALUE})).expect("a mount");
    let agent = pod
        .agent("run --log-level trace")
        .env("RUST_LOG", "trace")
        .env("LOG_SENSITIVE_BODIES", "true")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("an agent");
    pod.until("the first files", |pod| pod.read("a") == VALUE).await;
    let mut tokens = pod.server.vault().live_tokens();
    for fault in [
        Fault::Garbage,
        Fault::Truncate,
        Fault::Status(500),
        Fault::Vault(403, "permission denied"),
    ] {
        pod.server.faults().always(Scope::All, fault);
        pod.until("stale", |pod| pod.status()["state"] == "stale").await;
        pod.server.faults().clear();
        pod.until("ready", |pod| pod.status()["state"] == "ready").await;
        tokens.extend(pod.server.vault().live_tokens());
    }
    // A value of the wrong shape is the likeliest to be quoted by a parser.
    pod.server.aws().put("a", format!("{{\"v\": {VALUE}}}"));
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    let status = pod.read("status.json");
    terminate(&agent);
    let output = tokio::time::timeout(Duration::from_secs(5), agent.wait_with_output()).await;
    let output = output.expect("an end").expect("an output");
    let said =
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned() + &status;
    assert!(said.contains("secrets written") && said.contains("look failed"), "{said}");
    let leased = ["canary-password", "canary-key"].map(str::to_owned);
    tokens.extend([VALUE.to_owned(), JWT.to_owned()].into_iter().chain(leased));
    for canary in tokens {
        assert!(!said.contains(&canary), "`{canary}` was said: {said}");
    }
}

#[tokio::test]
async fn the_process_cannot_be_read_by_others_of_its_user() {
    let pod = Pod::new(json!([{"path": "a", "from": "vault:secret/b#v"}])).await;
    pod.server.vault().put("secret/b", json!({"v": VALUE})).expect("a mount");
    let agent = pod.started().await;
    let id = agent.id().expect("a running agent");
    let limits = tokio::fs::read_to_string(format!("/proc/{id}/limits")).await.expect("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    terminate(&agent);
}
