//! Who answers in AWS's place, a balancer, a captive portal, a proxy, says nothing about any secret.

use mayfly_tests::secret_server::{Fault, Scope};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::pod::{JWT, Pod, ROLE, terminate};

const READER: &str = "arn:aws:iam::210987654321:role/reader";

/// Optional files of every kind: what is missing is left out of them.
fn files() -> Value {
    json!([
        {"path": "secret", "from": "aws-sm:app", "optional": true},
        {"path": "parameter", "from": "aws-ssm:/app", "optional": true},
        {"dir": "tree", "from": "aws-ssm:/tree/", "optional": true},
        {"path": "theirs", "from": format!("aws-sm:app?role={READER}"), "optional": true},
    ])
}

async fn pod(files: Value) -> Pod {
    let pod = Pod::new(files).await;
    pod.server.aws().put("app", "one");
    pod.server.aws().put_parameter("/app", "one");
    pod.server.aws().put_parameter("/tree/leaf", "one");
    pod.server.aws().trust_role(READER, ROLE, None);
    pod
}

const OPERATIONS: [&str; 5] =
    ["GetSecretValue", "GetParameters", "GetParametersByPath", "AssumeRole", ""];

/// What strangers say, and what is told of it.
fn strangers() -> [(Fault, &'static str); 6] {
    [
        (Fault::Status(404), "HTTP status 404, `Not what you asked for`"),
        (Fault::Status(403), "HTTP status 403, `Not what you asked for`"),
        (Fault::Garbage, "HTTP status 200, `Not what you asked for`"),
        (
            Fault::Json(403, r#"{"message":"Forbidden"}"#),
            "HTTP status 403, `{\"message\":\"Forbidden\"}`",
        ),
        (Fault::Json(404, r#"{"code":"ResourceNotFoundException"}"#), "HTTP status 404"),
        (Fault::Json(200, "{}"), ""),
    ]
}

#[tokio::test]
async fn at_a_start_they_are_an_outage_and_told_by_status_address_and_first_words() {
    let pod = pod(files()).await;
    for (fault, words) in strangers() {
        for operation in OPERATIONS {
            pod.server.faults().always(Scope::Operation(operation), fault.clone());
            let (code, said) = pod.told("check").await;
            pod.server.faults().clear();
            assert_eq!(code, 5, "{operation} {fault:?}: {said}");
            assert!(said.contains(words), "{operation} {fault:?}: {said}");
            if !words.is_empty() {
                let address = format!("something else answers at {}", pod.server.url());
                assert!(said.contains(&address), "{operation} {fault:?}: {said}");
            }
        }
    }
}

#[tokio::test]
async fn they_delete_nothing() {
    let pod = pod(files()).await;
    let agent = pod.started().await;
    let is_whole = |pod: &Pod| {
        ["secret", "parameter", "tree/leaf", "theirs"].iter().all(|file| pod.read(file) == "one")
    };
    assert!(is_whole(&pod));
    for (fault, _) in strangers() {
        pod.server.faults().always(Scope::All, fault);
        pod.until("stale", |pod| pod.status()["state"] == "stale").await;
        assert!(is_whole(&pod));
        pod.server.faults().clear();
        pod.until("recovery", |pod| pod.status()["state"] == "ready").await;
    }
    terminate(&agent);
}

#[tokio::test]
async fn what_is_sealed_is_not_altered_by_them() {
    let pod = pod(json!([])).await;
    let key = pod.server.aws().kms_key();
    let seal = format!("seal --kms-key {key} --namespace default --service-account web");
    for (fault, words) in strangers() {
        pod.server.faults().always(Scope::Operation("GenerateDataKey"), fault.clone());
        let mut agent = pod.agent(&seal);
        agent.stdin(std::process::Stdio::piped());
        agent.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut agent = agent.spawn().expect("an agent");
        agent.stdin.take().expect("stdin").write_all(b"hunter2").await.expect("written");
        let output = agent.wait_with_output().await.expect("an end");
        pod.server.faults().clear();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{fault:?}: {said}");
        assert!(said.contains(words), "{fault:?}: {said}");
    }
}

/// Somebody's page with a 404 is no missing association, and who repeats the token is not repeated.
#[tokio::test]
async fn beside_a_nodes_agent_they_are_an_outage_too() {
    let mut pod = pod(json!([{"path": "secret", "from": "aws-sm:app"}])).await;
    pod.spec["aws"]["identity"] = json!("pod-identity");
    let url = pod.server.open_plain_port().await.expect("a port") + "/v1/credentials";
    for (fault, _) in strangers() {
        pod.server.faults().always(Scope::Operation("GET /v1/credentials"), fault.clone());
        let mut agent = pod.agent("check");
        agent
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token");
        let output = agent.output().await.expect("an agent");
        pod.server.faults().clear();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(5), "{fault:?}: {said}");
        assert!(said.contains("something else answers at http://127.0.0.1:"), "{said}");
        assert!(!said.contains(JWT), "{said}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_refuses_no_secret() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", proxy.local_addr().expect("an address"));
    let refusing = tokio::spawn(async move {
        while let Ok((mut stream, _)) = proxy.accept().await {
            let mut request = [0; 1024];
            if stream.read(&mut request).await.is_ok() {
                let page = "HTTP/1.1 403 Forbidden\r\nContent-Length: 13\r\n\r\n<h1>No</h1>\r\n";
                stream.write_all(page.as_bytes()).await.ok();
            }
        }
    });
    let mut pod = pod(json!([{"path": "secret", "from": "aws-sm:app", "optional": true}])).await;
    pod.spec["aws"]["proxy"] = json!(url);
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 5, "{said}");
    assert!(said.contains(&format!("(through the proxy {url})")), "{said}");
    assert!(said.contains("STS cannot be reached: something else answers at"), "{said}");
    assert!(said.contains("HTTP status 403, `No`"), "{said}");
    refusing.abort();
}

#[tokio::test]
async fn no_message_has_a_password() {
    for (pointer, url) in [
        ("/aws/proxy", "http://user:hunter2@127.0.0.1:1"),
        ("/vault/address", "http://user:hunter2@127.0.0.1:1"),
        ("/aws/endpoint", "http://user:hunter2@127.0.0.1:1"),
    ] {
        let mut pod = pod(json!([
            {"path": "secret", "from": "aws-sm:app"}, {"path": "other", "from": "vault:secret/app"},
        ]))
        .await;
        *pod.spec.pointer_mut("/aws").expect("aws") = json!({"identity": "irsa", "role-arn": ROLE,
            "token-file": "/token", "region": "eu-central-1"});
        let (section, field) = pointer.rsplit_once('/').expect("a pointer");
        pod.spec.pointer_mut(section).expect("a section")[field] = json!(url);
        let (code, said) = pod.told("check").await;
        assert_ne!(code, 0);
        assert!(!said.contains("hunter2"), "{said}");
        // A person's file is quoted where it is wrong; what stands beside is not.
        pod.spec["aws"]["fsip"] = json!(true);
        let file = pod.root.path().join("config.yaml");
        pod.write("config.yaml", &serde_json::to_string_pretty(&pod.spec).expect("JSON"));
        let (code, said) = pod.told(&format!("check --config {}", file.display())).await;
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("fsip") && !said.contains("hunter2"), "{said}");
    }
}
