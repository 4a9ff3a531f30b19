//! The stand-in for AWS and Vault keeps to the real ones' protocols, and plays every fault.

use std::time::Duration;

use mayfly_tests::secret_server::{
    AwsError, Fault, Protocol, Scope, SecretServer,
    vault::{Condition, Kv},
};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ROLE: &str = "arn:aws:iam::123456789012:role/web";

struct Caller {
    server: SecretServer,
    client: Client,
}

impl Caller {
    async fn start() -> Self {
        let server = SecretServer::start().await.expect("a server");
        let client = server.authority().expect("TLS").client().expect("a client");
        Self { server, client }
    }

    async fn secrets_manager(&self, key: &str, operation: &str, input: Value) -> (u16, Value) {
        let sent = self.signed(key, operation, &input).send().await;
        answer(sent.expect("an answer")).await
    }

    fn signed(&self, key: &str, operation: &str, input: &Value) -> RequestBuilder {
        let scope = "20260101/eu-central-1/secretsmanager/aws4_request";
        let signature = format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, Signature=0");
        self.client
            .post(self.server.url())
            .header("x-amz-target", format!("secretsmanager.{operation}"))
            .header("authorization", signature)
            .body(input.to_string())
    }

    async fn sts(&self, role: &str, session: &str, token: &str) -> (u16, String) {
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session),
            ("WebIdentityToken", token),
        ];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let response = self.client.post(self.server.url()).body(form).send().await;
        let response = response.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("text"))
    }

    async fn read(&self, token: &str, path: &str) -> (u16, Value) {
        answer(self.get(token, path).await.expect("an answer")).await
    }

    async fn get(&self, token: &str, path: &str) -> reqwest::Result<Response> {
        let url = format!("{}/v1/{path}", self.server.url());
        self.client.get(url).header("x-vault-token", token).send().await
    }

    async fn login(&self, mount: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/v1/auth/{mount}/login", self.server.url());
        let response = self.client.post(url).json(&body).send().await;
        answer(response.expect("an answer")).await
    }
}

async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.bytes().await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

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

#[tokio::test]
async fn a_fault_lasts_as_often_as_it_is_asked_for() {
    let caller = Caller::start().await;
    let key = caller.server.aws().access_key().id;
    caller.server.aws().put("db", "x");
    let scope = Scope::Operation("GetSecretValue");
    caller.server.faults().times(2, scope, Fault::Aws(AwsError::throttling()));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let input = json!({"SecretId": "db"});
        statuses.push(caller.secrets_manager(&key, "GetSecretValue", input).await.0);
    }
    assert_eq!(statuses, [400, 400, 200]);
}

#[tokio::test]
async fn every_fault_is_played() {
    let caller = Caller::start().await;
    let token = caller.server.vault().issue_token();
    caller.server.vault().put("secret/app", json!({"a": "b".repeat(100)}));
    for (fault, seen) in [
        (Fault::Delay(Duration::from_millis(1)), "200"),
        (Fault::Drip(Duration::ZERO), "200"),
        (Fault::Drop, "no answer"),
        (Fault::Truncate, "200 cut"),
        (Fault::Garbage, "200 <html>"),
        (Fault::Huge(1 << 20), "200 1 MiB"),
        (Fault::Redirect("https://elsewhere.invalid".to_owned()), "307"),
        (Fault::Status(502), "502 <html>"),
        (Fault::Vault(412, "required index state not present"), "412"),
    ] {
        let told = format!("{fault:?}");
        caller.server.faults().times(1, Scope::Service(Protocol::Vault), fault);
        assert_eq!(seen_of(caller.get(&token, "secret/data/app").await).await, seen, "{told}");
    }
}

async fn seen_of(answer: reqwest::Result<Response>) -> String {
    let Ok(response) = answer else { return "no answer".to_owned() };
    let status = response.status().as_u16();
    let body = match response.text().await {
        Err(_) => " cut",
        Ok(text) if text.starts_with("<html>") => " <html>",
        Ok(text) if text.len() >= 1 << 20 => " 1 MiB",
        Ok(_) => "",
    };
    format!("{status}{body}")
}

#[tokio::test]
async fn a_hung_request_is_heard_but_never_answered() {
    let caller = Caller::start().await;
    caller.server.faults().always(Scope::All, Fault::Hang);
    tokio::select! {
        biased;
        answer = caller.get("", "sys/health") => panic!("{answer:?}"),
        () = heard(&caller.server) => {}
    }
    caller.server.faults().clear();
    assert_eq!(caller.read("", "sys/health").await.0, 200);
}

#[tokio::test]
async fn a_silent_server_does_not_even_shake_hands() {
    let mut caller = Caller::start().await;
    caller.server.go_silent().await.expect("the port");
    let mut connection = TcpStream::connect(caller.server.address()).await.expect("a connection");
    connection.write_all(b"hello").await.expect("a full backlog is far away");
    tokio::select! {
        biased;
        answer = connection.read_u8() => panic!("{answer:?}"),
        () = tokio::task::yield_now() => {}
    }
    caller.server.come_back().await.expect("the port");
    assert_eq!(caller.read("", "sys/health").await.0, 200);
}

async fn heard(server: &SecretServer) {
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_dark_server_refuses_and_comes_back_on_its_port() {
    let mut caller = Caller::start().await;
    let url = caller.server.url();
    assert_eq!(caller.read("", "sys/health").await.0, 200);
    caller.server.go_dark().await;
    assert!(caller.get("", "sys/health").await.is_err());
    caller.server.come_back().await.expect("the port");
    assert_eq!((caller.read("", "sys/health").await.0, caller.server.url()), (200, url));
}
