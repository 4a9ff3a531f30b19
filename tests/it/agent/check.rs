//! Each mistake has its own words, which say what to change, and its own exit code.

use serde_json::{Value, json};

use super::pod::{JWT, Pod};

async fn pod(from: &str) -> Pod {
    let pod = Pod::new(json!([{"path": "file", "from": from}])).await;
    pod.server.aws().put("prod/db", r#"{"password": "hunter2"}"#);
    pod.server.vault().put("secret/app", json!({"password": "hunter2"})).expect("a mount");
    pod
}

async fn refused(pod: &Pod, code: i32, words: &[&str]) {
    let (seen, said) = pod.told("check").await;
    assert_eq!(seen, code, "{said}");
    for word in words {
        assert!(said.contains(word), "`{said}` lacks `{word}`");
    }
    assert!(!said.contains("hunter2") && !said.contains(JWT), "{said}");
    // What `check` says, `run` says in the termination message, with the same exit code.
    let (seen, _) = pod.told("run").await;
    let message = pod.read("termination");
    assert_eq!(seen, code, "{message}");
    for word in words {
        assert!(message.contains(word), "`{message}` lacks `{word}`");
    }
    assert_eq!(pod.read("file"), "");
}

fn set(mut pod: Pod, pointer: &str, value: Value) -> Pod {
    *pod.spec.pointer_mut(pointer).expect(pointer) = value;
    pod
}

#[tokio::test]
async fn a_sound_configuration_is_told_as_such_and_nothing_is_written() {
    let pod = pod("vault:secret/app#password").await;
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("vault:secret/app#password") && said.contains("ok"), "{said}");
    assert_eq!(pod.read("file") + &pod.read("status.json"), "");
    assert!(pod.server.vault().live_tokens().is_empty(), "the token was given back");
}

#[tokio::test]
async fn a_wrong_role() {
    let vault = set(pod("vault:secret/app").await, "/vault/auth/kubernetes/role", json!("nobody"));
    refused(&vault, 3, &["role `nobody`", "auth/kubernetes", "make the role at the auth method"])
        .await;
    let role = "arn:aws:iam::123456789012:role/nobody";
    let aws = set(pod("aws-sm:prod/db").await, "/aws/role-arn", json!(role));
    refused(&aws, 3, &["STS", role, "trust policy"]).await;
}

#[tokio::test]
async fn a_secret_that_may_not_be_read() {
    let vault = pod("vault:secret/app").await;
    vault.server.vault().deny("secret/data/app");
    refused(&vault, 3, &["role `web` may not read `secret/data/app`", "grant it `read`"]).await;
    let aws = pod("aws-sm:prod/db").await;
    aws.server.aws().deny("prod/db");
    refused(&aws, 3, &["may not read `prod/db`", "secretsmanager:GetSecretValue"]).await;
}

#[tokio::test]
async fn a_missing_secret() {
    refused(&pod("vault:secret/none").await, 4, &["no secret at `secret/none`"]).await;
    refused(&pod("aws-sm:none").await, 4, &["no secret `none` in eu-central-1"]).await;
    refused(&pod("aws-sm:prod/db?stage=AWSPREVIOUS").await, 4, &["no such version"]).await;
}

#[tokio::test]
async fn a_version_that_is_no_more() {
    let deleted = pod("vault:secret/app").await;
    deleted.server.vault().delete_version("secret/app", 1);
    refused(&deleted, 4, &["version 1 of `secret/app` is deleted", "vault kv undelete"]).await;
    let destroyed = pod("vault:secret/app?version=1").await;
    destroyed.server.vault().destroy_version("secret/app", 1);
    refused(&destroyed, 4, &["version 1 of `secret/app` is destroyed"]).await;
}

#[tokio::test]
async fn a_missing_key() {
    refused(
        &pod("vault:secret/app#pasword").await,
        4,
        &["no key `pasword`", "did you mean `password`"],
    )
    .await;
    refused(&pod("aws-sm:prod/db#/a/b").await, 4, &["the JSON Pointer `/a/b` leads to nothing"])
        .await;
}

#[tokio::test]
async fn an_unreachable_address() {
    let vault =
        set(pod("vault:secret/app").await.hasty(), "/vault/address", json!("https://127.0.0.1:9"));
    refused(&vault, 5, &["Vault cannot be reached", "https://127.0.0.1:9", "refused"]).await;
    let aws =
        set(pod("aws-sm:prod/db").await.hasty(), "/aws/endpoint", json!("http://127.0.0.1:9"));
    refused(&aws, 5, &["STS cannot be reached", "http://127.0.0.1:9", "refused"]).await;
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for() {
    let other = mayfly_tests::secret_server::Authority::new().expect("an authority");
    let pod = set(pod("vault:secret/app").await.hasty(), "/vault/ca/pem", json!(other.pem()));
    refused(&pod, 5, &["no connection to https://127.0.0.1", "certificate"]).await;
}

#[tokio::test]
async fn a_malformed_reference() {
    refused(
        &pod("vautl:secret/app").await,
        2,
        &["`file`", "unknown source `vautl`", "did you mean `vault`"],
    )
    .await;
    refused(&pod("vault:secret/app#").await, 2, &["`file`", "the key after `#` is empty"]).await;
}

#[tokio::test]
async fn the_path_of_the_api_where_a_persons_belongs() {
    refused(&pod("vault:secret/data/app").await, 4, &["write `vault:secret/app`"]).await;
}

#[tokio::test]
async fn no_workload_identity() {
    let pod = set(pod("aws-sm:prod/db").await, "/aws/token-file", json!("/none"));
    refused(&pod, 3, &["no workload identity", "/none"]).await;
}

#[tokio::test]
async fn no_configuration_at_all() {
    let pod = pod("vault:secret/app").await;
    let output = pod.agent("once").env_remove("MAYFLY_CONFIG").output().await.expect("an agent");
    assert_eq!(output.status.code(), Some(2));
    assert!(pod.read("termination").contains("set MAYFLY_CONFIG or give `--config FILE`"));
}

#[tokio::test]
async fn a_volume_that_cannot_be_written() {
    let pod = set(pod("vault:secret/app").await, "/directory", json!("/token/run"));
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 6, "{said}");
    assert!(pod.read("termination").contains("cannot be made"), "{said}");
}
