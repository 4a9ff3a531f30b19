//! What Vault leases: one request for all keys, renewed, replaced before it ends, given back.

use std::time::Duration;

use mayfly_tests::secret_server::vault::Engine;
use serde_json::json;
use tokio::time::Instant;

use super::pod::{Pod, terminate};

const READ: &str = "GET /v1/database/creds/web";
const ISSUE: &str = "POST /v1/pki/issue/web";
const RENEW: &str = "POST /v1/sys/leases/renew";
const LOOK_UP_SELF: &str = "GET /v1/auth/token/lookup-self";
const LOGIN: &str = "POST /v1/auth/kubernetes/login";
const SECOND: Duration = Duration::from_secs(1);

/// A pod with a user of a database, and a certificate.
async fn pod() -> Pod {
    let certificate = "vault-write:pki/issue/web?common_name=web.default.svc";
    let mut pod = Pod::new(json!([
        {"path": "user", "from": "vault:database/creds/web#username"},
        {"path": "password", "from": "vault:database/creds/web#password"},
        {"path": "tls.crt", "from": format!("{certificate}#certificate")},
        {"path": "tls.key", "from": format!("{certificate}#private_key")},
    ]))
    .await;
    pod.spec["state"] = json!("/state");
    let mut vault = pod.server.vault();
    vault.mount_engine("database", Engine::Database);
    vault.mount_engine("pki", Engine::Pki);
    drop(vault);
    pod
}

/// The number of the user on the volume; both files have to be of one answer.
fn user(pod: &Pod) -> String {
    loop {
        let [name, password] = ["user", "password"].map(|file| pod.read(&format!("..data/{file}")));
        let number = name.strip_prefix("v-web-").unwrap_or_default().to_owned();
        if password == format!("canary-password-{number}") {
            return number;
        }
        // The generation was switched between the two reads.
        assert_ne!(pod.read("user"), name, "{name} has the password {password}");
    }
}

#[tokio::test]
async fn all_keys_come_from_one_request_which_is_not_repeated_while_its_lease_lasts() {
    let pod = pod().await;
    let agent = pod.started().await;
    pod.until("five looks", |pod| pod.server.count("POST /v1/sys/leases/lookup") >= 5).await;
    assert_eq!((user(&pod), pod.server.count(READ), pod.server.count(RENEW)), ("1".into(), 1, 0));
    let pair = [pod.read("tls.crt"), pod.read("tls.key")];
    assert_eq!(
        pair,
        ["certificate 2", "canary-key 2"].map(|it| format!("{it} of web.default.svc"))
    );
    assert_eq!(pod.server.count(ISSUE), 1);
    let issued = pod.server.requests().into_iter().find(|request| request.operation() == ISSUE);
    assert_eq!(
        issued.map(|request| request.json()),
        Some(json!({"common_name": "web.default.svc"}))
    );
    terminate(&agent);
}

#[tokio::test]
async fn a_lease_is_renewed_until_its_maximum_and_then_replaced_while_it_lives() {
    let pod = pod().await;
    (pod.server.vault().lease_ttl, pod.server.vault().lease_max_ttl) = (SECOND * 4, SECOND * 10);
    let agent = pod.started().await;
    pod.until("the next user", |pod| user(pod) != "1").await;
    assert!(pod.server.count(RENEW) >= 2, "{} renewals", pod.server.count(RENEW));
    assert_eq!(pod.server.vault().live_leases().len(), 2, "the old one ends by itself");
    assert_eq!(pod.server.count(LOGIN), 1);
    terminate(&agent);
}

#[tokio::test]
async fn what_cannot_be_renewed_is_replaced_before_it_ends() {
    let pod = pod().await;
    (pod.server.vault().lease_ttl, pod.server.vault().leases_are_renewable) = (SECOND * 4, false);
    let agent = pod.started().await;
    let first = pod.read("tls.crt");
    pod.until("the next of both", |pod| user(pod) != "1" && pod.read("tls.crt") != first).await;
    assert_eq!(pod.server.count(RENEW), 0);
    assert!(!pod.server.vault().live_leases().is_empty());
    terminate(&agent);
}

#[tokio::test]
async fn a_token_at_its_maximum_is_replaced_and_with_it_what_was_leased() {
    let pod = pod().await;
    let token = pod.server.vault().token_max_ttl;
    (pod.server.vault().token_ttl, pod.server.vault().token_max_ttl) = (SECOND * 4, SECOND * 4);
    let agent = pod.started().await;
    pod.server.vault().token_max_ttl = token;
    pod.until("the next user", |pod| user(pod) != "1").await;
    assert_eq!((pod.server.count(LOGIN), pod.server.count(READ)), (2, 2));
    assert_eq!(pod.server.vault().live_leases().len(), 2, "the old one ends with its token");
    // The certificate is not the token's.
    assert_eq!(pod.server.count(ISSUE), 1);
    pod.until("a renewal", |pod| pod.server.count("POST /v1/auth/token/renew-self") >= 2).await;
    assert_eq!(pod.server.count(LOGIN), 2);
    terminate(&agent);
}

#[tokio::test]
async fn what_ends_with_its_token_is_taken_once_with_each() {
    let pod = pod().await;
    {
        let mut vault = pod.server.vault();
        (vault.token_ttl, vault.tokens_are_renewable) = (SECOND * 3, false);
        (vault.lease_ttl, vault.leases_are_renewable) = (SECOND * 3, false);
    }
    let agent = pod.started().await;
    pod.until("seven logins", |pod| pod.server.count(LOGIN) >= 7).await;
    let (logins, reads) = (pod.server.count(LOGIN), pod.server.count(READ));
    assert!(reads <= logins, "{reads} reads with {logins} tokens");
    terminate(&agent);
}

#[tokio::test]
async fn what_an_administrator_takes_back_is_replaced_within_an_interval() {
    let pod = pod().await;
    let agent = pod.started().await;
    pod.server.vault().revoke_leases();
    pod.until("the next user", |pod| user(pod) == "3").await;
    assert_eq!(pod.server.count(LOGIN), 1);
    pod.server.vault().revoke_tokens();
    pod.until("the one after", |pod| user(pod) == "4").await;
    assert_eq!(pod.server.count(LOGIN), 2);
    terminate(&agent);
}

#[tokio::test]
async fn a_role_that_may_not_look_leases_up_keeps_them() {
    let pod = pod().await;
    pod.server.vault().deny("sys/leases/lookup");
    let agent = pod.started().await;
    pod.until("the token's standing", |pod| pod.server.count(LOOK_UP_SELF) > 0).await;
    for _ in 0..3 {
        let before = pod.status()["looked"].clone();
        pod.until("a later look", |pod| pod.status()["looked"] != before).await;
    }
    assert_eq!((user(&pod), &pod.status()["state"]), ("1".into(), &json!("ready")));
    assert_eq!(pod.server.count("POST /v1/sys/leases/lookup"), 1);
    terminate(&agent);
}

#[tokio::test]
async fn a_role_without_the_policy_default_keeps_its_token_and_its_leases() {
    let mut pod = pod().await;
    let refused = json!({"path": "none", "from": "vault:secret/none#v", "optional": true});
    pod.spec["files"].as_array_mut().expect("a list").push(refused);
    pod.server.vault().lacks_default_policy = true;
    let agent = pod.started().await;
    for _ in 0..4 {
        let before = pod.status()["looked"].clone();
        pod.until("a later look", |pod| pod.status()["looked"] != before).await;
    }
    assert_eq!((user(&pod), pod.server.count(LOGIN), pod.server.count(READ)), ("1".into(), 1, 1));
    pod.server.vault().revoke_tokens();
    pod.until("the next user", |pod| user(pod) != "1").await;
    assert_eq!(pod.server.count(LOGIN), 2);
    terminate(&agent);
}

#[tokio::test]
async fn a_field_that_vault_does_not_know_is_told() {
    let mut pod = pod().await;
    let from = "vault-write:pki/issue/web?common_name=web&tttl=1h#certificate";
    pod.spec["files"] = json!([{"path": "tls.crt", "from": from}]);
    let said = "Endpoint ignored these unrecognized parameters: [tttl]";
    let (code, table) = pod.told("check").await;
    assert_eq!(code, 0, "{table}");
    assert!(table.contains(&format!("it warns: {said}")), "{table}");
    let (code, log) = pod.told("once").await;
    assert!(code == 0 && log.contains(said), "{code}, {log}");
}

#[tokio::test]
async fn a_killed_agent_goes_on_with_its_token_and_its_leases() {
    let pod = pod().await;
    for _ in 0..3 {
        let mut agent = pod.agent("run").spawn().expect("an agent");
        let looked = pod.status()["looked"].clone();
        pod.until("a look", |pod| {
            pod.status()["state"] == "ready" && pod.status()["looked"] != looked
        })
        .await;
        agent.kill().await.expect("an end");
    }
    assert_eq!((user(&pod), pod.server.count(LOGIN), pod.server.count(READ)), ("1".into(), 1, 1));
    assert_eq!(pod.server.count(ISSUE), 1, "a restart issues no certificate");
    assert_eq!(pod.server.vault().live_leases().len(), 1);
}

#[tokio::test]
async fn the_state_of_another_role_is_not_used() {
    let mut pod = pod().await;
    let mut agent = pod.started().await;
    agent.kill().await.expect("an end");
    pod.server.vault().trust("kubernetes", "other", super::pod::JWT);
    pod.spec["vault"]["auth"]["kubernetes"]["role"] = json!("other");
    assert_eq!(pod.told("once").await.0, 0);
    assert_eq!((pod.server.count(LOGIN), pod.server.count(READ)), (2, 2));
}

#[tokio::test]
async fn at_the_end_everything_is_given_back() {
    let pod = pod().await;
    (pod.server.vault().token_ttl, pod.server.vault().token_max_ttl) = (SECOND * 6, SECOND * 6);
    let mut agent = pod.started().await;
    pod.until("a second token", |pod| pod.server.count(LOGIN) == 2 && user(pod) != "1").await;
    assert!(pod.read("state/vault.json").contains("hvs."));
    terminate(&agent);
    assert!(agent.wait().await.expect("an end").success());
    let vault = pod.server.vault();
    assert_eq!((vault.live_leases(), vault.live_tokens()), (vec![], vec![]), "both tokens' leases");
    assert_eq!(pod.read("state/vault.json"), "");
}

#[tokio::test]
async fn an_outage_costs_no_storm_and_leases_that_ended_in_it_are_replaced() {
    let mut pod = pod().await;
    (pod.server.vault().lease_ttl, pod.server.vault().leases_are_renewable) = (SECOND * 3, true);
    let agent = pod.started().await;
    let before = user(&pod);
    pod.server.go_dark().await;
    let end = Instant::now() + SECOND * 4;
    pod.until("stale", |pod| pod.status()["state"] == "stale" && Instant::now() > end).await;
    assert_eq!(user(&pod), before);
    pod.server.forget_requests();
    pod.server.come_back().await.expect("the same port");
    pod.until("recovery", |pod| user(pod) != before && pod.status()["state"] == "ready").await;
    assert!(pod.server.requests().len() < 20, "{} requests", pod.server.requests().len());
    terminate(&agent);
}

#[tokio::test]
async fn nothing_is_written_to_a_key_value_store_or_to_nobody_knows_what() {
    for (from, words) in [
        (
            "vault-write:secret/app?a=b#a",
            "`secret/` is a key-value store, to which the agent never writes",
        ),
        (
            "vault-write:nowhere/app?a=b#a",
            "Vault does not tell role `web` which engine `nowhere/app` belongs to",
        ),
        ("vault:pki/issue/web#a", "say `vault-write:pki/issue/web`"),
        ("vault:database/creds/web?version=3#a", "which keeps no versions"),
        ("vault-write:database/creds/web#a", "say `vault:database/creds/web`"),
    ] {
        let mut pod = pod().await;
        pod.spec["files"] = json!([{"path": "a", "from": from}]);
        let (code, said) = pod.told("once").await;
        assert!(matches!(code, 2 | 3) && said.contains(words), "{from}: {code}, {said}");
        let writes = pod.server.requests().into_iter().filter(|it| it.path.contains("secret/"));
        assert!(writes.filter(|it| it.method != "GET").count() == 0, "{from}");
    }
}

#[tokio::test]
async fn once_leaves_the_leases_that_its_files_need() {
    let mut pod = pod().await;
    pod.spec.as_object_mut().expect("an object").remove("mode");
    for _ in 0..2 {
        assert_eq!(pod.told("once").await.0, 0);
    }
    assert_eq!((user(&pod), pod.server.vault().live_leases().len()), ("1".into(), 1));
    assert_eq!(pod.server.count(LOGIN), 1);
}

#[tokio::test]
async fn a_check_gives_back_its_own_and_nothing_of_the_running_agent() {
    let pod = pod().await;
    let agent = pod.started().await;
    let tokens = pod.server.vault().live_tokens();
    let leases = pod.server.vault().live_leases();
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!((pod.server.count(LOGIN), pod.server.count(READ)), (2, 2));
    assert_eq!(pod.server.vault().live_tokens(), tokens);
    assert_eq!(pod.server.vault().live_leases(), leases);
    terminate(&agent);
}
