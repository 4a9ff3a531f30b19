//! Vault: logins, tokens, the key-value engine, the seal.

use mayfly_tests::secret_server::vault::{Condition, Kv};
use serde_json::{Value, json};

use super::Caller;

#[tokio::test]
async fn a_vault_login_says_why_not() {
    let caller = Caller::start().await;
    let aud_vault = "e30.eyJhdWQiOlsidmF1bHQiXX0.x";
    caller.server.vault().trust("kubernetes", "web", "jwt");
    caller.server.vault().trust("kubernetes", "strict", aud_vault);
    caller.server.vault().demand_audience("kubernetes", "strict", "vault");
    caller.server.vault().add_role("kubernetes", "other");
    for (mount, body, status, error) in [
        (
            "kubernetes",
            json!({"role": "other", "jwt": "jwt"}),
            403,
            "service account name not authorized",
        ),
        ("kubernetes", json!({"role": "web", "jwt": "forged"}), 403, "permission denied"),
        ("kubernetes", json!({"role": "none", "jwt": "jwt"}), 400, "invalid role name \"none\""),
        ("kubernetes", json!({"jwt": "jwt"}), 400, "missing role"),
        ("kubernetes", json!({"role": "web"}), 400, "missing jwt"),
        ("nowhere", json!({"role": "web", "jwt": "jwt"}), 403, "permission denied"),
        (
            "kubernetes",
            json!({"role": "strict", "jwt": "jwt"}),
            403,
            "invalid audience (aud) claim: audience claim does not match any expected audience",
        ),
    ] {
        assert_eq!(caller.login(mount, body).await, (status, json!({ "errors": [error] })));
    }
    let strict = json!({"role": "strict", "jwt": aud_vault});
    assert_eq!(caller.login("kubernetes", strict).await.0, 200);
}

#[tokio::test]
async fn a_token_lives_until_it_is_revoked() {
    let caller = Caller::start().await;
    caller.server.vault().trust("kubernetes", "web", "jwt");
    let (_, login) = caller.login("kubernetes", json!({"role": "web", "jwt": "jwt"})).await;
    let token = login["auth"]["client_token"].as_str().expect("a token").to_owned();
    let (status, found) = caller.read(&token, "auth/token/lookup-self").await;
    assert_eq!((status, &found["data"]["id"]), (200, &json!(token)));
    assert_eq!(caller.read(&token, "auth/token/renew-self").await.0, 200);
    assert_eq!(caller.read(&token, "auth/token/revoke-self").await.0, 204);
    let (status, refused) = caller.read(&token, "auth/token/lookup-self").await;
    assert_eq!((status, refused), (403, json!({"errors": ["permission denied"]})));
    assert!(caller.server.vault().live_tokens().is_empty());
}

#[tokio::test]
async fn key_value_mounts_answer_in_their_own_version() {
    let caller = Caller::start().await;
    let token = caller.server.vault().issue_token();
    caller.server.vault().mount("teams/kv", Kv::V1);
    caller.server.vault().put("teams/kv/app", json!({"password": "one"}));
    caller.server.vault().put("secret/app", json!({"password": "one"}));
    caller.server.vault().put("secret/app", json!({"password": "two"}));
    caller.server.vault().put("secret/app", json!({"password": "three"}));
    caller.server.vault().roll_back("secret/app");
    let (_, first) = caller.read(&token, "secret/data/app?version=1").await;
    let (_, newest) = caller.read(&token, "secret/data/app").await;
    let (_, unversioned) = caller.read(&token, "teams/kv/app").await;
    assert_eq!(first["data"]["data"]["password"], "one");
    assert_eq!(newest["data"]["data"]["password"], "two");
    assert_eq!(newest["data"]["metadata"]["version"], 2);
    assert_eq!(unversioned["data"]["password"], "one");
    for (path, mount, version) in [("secret/app", "secret/", "2"), ("teams/kv", "teams/kv/", "1")] {
        let (_, found) = caller.read(&token, &format!("sys/internal/ui/mounts/{path}")).await;
        assert_eq!(found["data"]["path"], mount);
        assert_eq!(found["data"]["options"]["version"], version);
    }
}

#[tokio::test]
async fn what_is_gone_or_forbidden_in_vault_is_told_as_vault_tells_it() {
    let caller = Caller::start().await;
    let token = caller.server.vault().issue_token();
    caller.server.vault().put("secret/app", json!({"a": 1}));
    caller.server.vault().put("secret/app", json!({"a": 2}));
    caller.server.vault().destroy_version("secret/app", 1);
    caller.server.vault().delete_version("secret/app", 2);
    caller.server.vault().deny("secret/theirs");
    let (status, deleted) = caller.read(&token, "secret/data/app").await;
    assert_eq!((status, &deleted["data"]["data"]), (404, &Value::Null));
    assert_ne!(deleted["data"]["metadata"]["deletion_time"], "");
    let (status, destroyed) = caller.read(&token, "secret/data/app?version=1").await;
    assert_eq!((status, &destroyed["data"]["metadata"]["destroyed"]), (404, &json!(true)));
    assert_eq!(caller.read(&token, "secret/data/none").await, (404, json!({"errors": []})));
    let (status, misled) = caller.read(&token, "secret/app").await;
    assert_eq!((status, misled["warnings"].is_array()), (404, true));
    let (status, denied) = caller.read(&token, "secret/data/theirs").await;
    assert_eq!(
        (status, denied),
        (403, json!({"errors": ["1 error occurred:\n\t* permission denied\n\n"]}))
    );
}

#[tokio::test]
async fn a_sealed_vault_answers_503_and_a_standby_says_so() {
    let caller = Caller::start().await;
    let token = caller.server.vault().issue_token();
    caller.server.vault().seal();
    let sealed = (503, json!({"errors": ["Vault is sealed"]}));
    assert_eq!(caller.read(&token, "secret/data/app").await, sealed);
    assert_eq!(caller.read("", "sys/health").await.0, 503);
    caller.server.vault().condition = Condition::Standby;
    assert_eq!(caller.read("", "sys/health").await.0, 429);
    caller.server.vault().unseal();
    assert_eq!(caller.read("", "sys/health").await.0, 200);
}
