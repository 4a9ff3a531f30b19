//! Secrets Manager and STS.

use serde_json::json;

use super::{Caller, ROLE, answer};

#[tokio::test]
async fn a_new_version_is_current_and_the_old_one_previous() {
    let caller = Caller::start().await;
    let key = caller.server.aws().access_key().id;
    let first = caller.server.aws().put("prod/db", "one");
    let second = caller.server.aws().put("prod/db", "two");
    let arn = caller.server.aws().secret("prod/db").expect("the secret").arn.clone();
    for (input, value, version) in [
        (json!({"SecretId": "prod/db"}), "two", &second),
        (json!({"SecretId": arn}), "two", &second),
        (json!({"SecretId": "prod/db", "VersionStage": "AWSPREVIOUS"}), "one", &first),
        (json!({"SecretId": "prod/db", "VersionId": first}), "one", &first),
    ] {
        let (status, answer) = caller.secrets_manager(&key, "GetSecretValue", input.clone()).await;
        assert_eq!(status, 200, "{input}");
        assert_eq!(
            (&answer["SecretString"], &answer["VersionId"]),
            (&json!(value), &json!(version))
        );
    }
    let input = json!({"SecretId": "prod/db"});
    let (_, description) = caller.secrets_manager(&key, "DescribeSecret", input).await;
    let stages = json!({first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]});
    assert_eq!(description["VersionIdsToStages"], stages);
    assert_eq!(caller.server.count("GetSecretValue"), 4);
}

#[tokio::test]
async fn secrets_manager_refuses_with_http_400_and_a_code() {
    let caller = Caller::start().await;
    let key = caller.server.aws().access_key().id;
    caller.server.aws().put("prod/db", vec![0, 159]);
    caller.server.aws().put("gone", "x");
    caller.server.aws().secret_mut("gone").expect("the secret").marked_for_deletion = true;
    caller.server.aws().deny("secret/of/others");
    for (key, input, code) in [
        (key.as_str(), json!({"SecretId": "none"}), "ResourceNotFoundException"),
        (&key, json!({"SecretId": "prod/db", "VersionStage": "X"}), "ResourceNotFoundException"),
        (&key, json!({"SecretId": "secret/of/others"}), "AccessDeniedException"),
        (&key, json!({"SecretId": "gone"}), "InvalidRequestException"),
        (&key, json!({}), "ValidationException"),
        ("AKIANOBODY", json!({"SecretId": "prod/db"}), "UnrecognizedClientException"),
    ] {
        let (status, answer) = caller.secrets_manager(key, "GetSecretValue", input.clone()).await;
        assert_eq!((status, &answer["__type"]), (400, &json!(code)), "{input}");
    }
    let batch = json!({"SecretIdList": ["prod/db", "none"]});
    let (status, answer) = caller.secrets_manager(&key, "BatchGetSecretValue", batch).await;
    assert_eq!((status, &answer["SecretValues"][0]["SecretBinary"]), (200, &json!("AJ8=")));
    assert_eq!(answer["Errors"][0]["ErrorCode"], "ResourceNotFoundException");
}

#[tokio::test]
async fn sts_gives_a_session_for_a_trusted_token_only() {
    let caller = Caller::start().await;
    caller.server.aws().trust(ROLE, "token");
    caller.server.aws().expire_token("old");
    let (status, body) = caller.sts(ROLE, "shop.web-1", "token").await;
    assert_eq!(status, 200, "{body}");
    let session = caller.server.aws().sessions()[0].clone();
    assert_eq!((session.role_arn.as_str(), session.name.as_str()), (ROLE, "shop.web-1"));
    assert!(body.contains(&format!("<AccessKeyId>{}</AccessKeyId>", session.access_key)));
    for (role, name, token, refusal) in [
        ("arn:aws:iam::123456789012:role/other", "ab", "token", (403, "AccessDenied")),
        (ROLE, "ab", "unknown", (400, "InvalidIdentityToken")),
        (ROLE, "ab", "old", (400, "ExpiredTokenException")),
        (ROLE, "no blanks", "token", (400, "ValidationError")),
    ] {
        let (status, body) = caller.sts(role, name, token).await;
        assert_eq!(status, refusal.0, "{body}");
        assert!(body.contains(&format!("<Code>{}</Code>", refusal.1)), "{body}");
    }
}

#[tokio::test]
async fn a_session_needs_its_token_and_ends_when_it_is_told_to() {
    let caller = Caller::start().await;
    caller.server.aws().trust(ROLE, "token");
    caller.server.aws().put("db", "x");
    let (_, body) = caller.sts(ROLE, "web", "token").await;
    let token = body.split(['<', '>']).skip_while(|part| *part != "SessionToken").nth(1);
    let key = caller.server.aws().sessions()[0].access_key.clone();
    let token = token.expect("a token");
    let read = |token: &str| {
        let sent = caller.signed(&key, "GetSecretValue", &json!({"SecretId": "db"}));
        let sent = sent.header("x-amz-security-token", token).send();
        async { answer(sent.await.expect("an answer")).await.1 }
    };
    assert_eq!(read("another").await["__type"], "UnrecognizedClientException");
    assert_eq!(read(token).await["SecretString"], "x");
    caller.server.aws().expire_sessions();
    assert_eq!(read(token).await["__type"], "ExpiredTokenException");
}
