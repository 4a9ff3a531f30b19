//! What arrives, as whom it was asked for, and how often.

use mayfly_tests::secret_server::vault::Kv;
use serde_json::json;

use super::pod::{Pod, ROLE};

#[tokio::test]
async fn secrets_of_aws_and_vault_arrive_with_the_pods_own_identity() {
    let pod = Pod::new(json!([
        {"path": "db-password", "from": "aws-sm:prod/db#password"},
        {"path": "db.json", "from": "aws-sm:prod/db"},
        {"path": "key.bin", "from": "aws-sm:key"},
        {"path": "app.env", "from": "vault:secret/app"},
        {"path": "old", "from": "vault:teams/old/app#a"},
        {"dir": "all", "from": "vault:secret/app"},
    ]))
    .await;
    pod.server.aws().put("prod/db", r#"{"user": "web", "password": "hunter2"}"#);
    pod.server.aws().put("key", b"\xff\x00\xfe".to_vec());
    pod.server.vault().put("secret/app", json!({"A": "<b>", "B": "it's"})).expect("a mount");
    pod.server.vault().mount("teams/old", Kv::V1);
    pod.server.vault().put("teams/old/app", json!({"a": "1"})).expect("a mount");
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(pod.read("db-password"), "hunter2");
    assert_eq!(pod.read("db.json"), r#"{"user":"web","password":"hunter2"}"#);
    assert_eq!(pod.read("app.env"), "A='<b>'\nB=\"it's\"\n");
    assert_eq!((pod.read("old"), pod.read("all/A")), ("1".to_owned(), "<b>".to_owned()));
    let requests = pod.server.requests().len();
    // STS and login once; three secrets of AWS; two mounts and two secrets of Vault; the token's end.
    assert_eq!(requests, 2 + 2 + 4 + 1, "{:?}", pod.server.requests());
    let aws = pod.server.aws();
    let session = aws.sessions().first().expect("a session");
    let session = format!("{session:?}");
    assert!(session.contains("default.web-0") && session.contains(ROLE), "{session}");
}

#[tokio::test]
async fn stages_versions_and_arns_are_asked_for_as_written() {
    let pod = Pod::new(json!([])).await;
    let old = pod.server.aws().put("prod/db", "one");
    pod.server.aws().put("prod/db", "two");
    let arn = pod.server.aws().secret("prod/db").expect("a secret").arn.clone();
    pod.server.vault().put("secret/app", json!({"n": 1})).expect("a mount");
    pod.server.vault().put("secret/app", json!({"n": 2})).expect("a mount");
    let pod = Pod {
        spec: {
            let mut spec = pod.spec.clone();
            spec["files"] = json!([
                {"path": "current", "from": arn},
                {"path": "previous", "from": "aws-sm:prod/db?stage=AWSPREVIOUS"},
                {"path": "pinned", "from": format!("aws-sm:prod/db?version={old}")},
                {"path": "first", "from": "vault:secret/app?version=1#n"},
                {"path": "newest", "from": "vault:secret/app?kv=2#n"},
            ]);
            spec
        },
        ..pod
    };
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 0, "{said}");
    let read = |names: [&str; 5]| names.map(|name| pod.read(name));
    assert_eq!(
        read(["current", "previous", "pinned", "first", "newest"]),
        ["two", "one", "one", "1", "2"]
    );
}

#[tokio::test]
async fn the_applications_variables_do_not_reach_the_agent() {
    let pod = Pod::new(json!([
        {"path": "a", "from": "aws-sm:a"}, {"path": "b", "from": "vault:secret/b#b"}
    ]))
    .await;
    pod.server.aws().put("a", "1");
    pod.server.vault().put("secret/b", json!({"b": "2"})).expect("a mount");
    let nowhere = "http://127.0.0.1:9";
    let output = pod
        .agent("once")
        .envs([("HTTPS_PROXY", nowhere), ("HTTP_PROXY", nowhere), ("ALL_PROXY", nowhere)])
        .envs([
            ("AWS_ENDPOINT_URL", nowhere),
            ("AWS_ENDPOINT_URL_STS", nowhere),
            ("AWS_PROFILE", "none"),
        ])
        .envs([
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_CA_BUNDLE", "/none"),
        ])
        .envs([("VAULT_ADDR", nowhere), ("VAULT_TOKEN", "x"), ("VAULT_CACERT", "/none")])
        .envs([("VAULT_NAMESPACE", "x"), ("SSL_CERT_FILE", "/none"), ("SSL_CERT_DIR", "/none")])
        .output()
        .await
        .expect("an agent");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((pod.read("a"), pod.read("b")), ("1".to_owned(), "2".to_owned()));
}
