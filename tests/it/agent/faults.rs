//! Answers that are no answers: none is fatal to an agent that has files, none is written.

use std::time::Duration;

use futures_util::future::join_all;
use mayfly_tests::secret_server::{AwsError, Fault, Scope};
use serde_json::json;

use super::pod::{Pod, terminate};

const PATHS: [(&str, &str); 3] = [
    ("vault:secret/app#v", "GET /v1/secret/data/app"),
    ("aws-sm:app#v", "GetSecretValue"),
    ("aws-ssm:/app#v", "GetParameters"),
];

async fn pod(from: &str) -> Pod {
    let pod = Pod::new(json!([{"path": "file", "from": from}])).await;
    put(&pod, "one");
    pod
}

fn put(pod: &Pod, value: &str) {
    let json = json!({"v": value}).to_string();
    pod.server.aws().put("app", json.as_str());
    pod.server.aws().put_parameter("/app", json.as_str());
    pod.server.vault().put("secret/app", json!({"v": value})).expect("a mount");
}

/// At the start the agent ends with code 5; later it keeps its file and recovers.
async fn is_survived(fault: &Fault, words: &str) {
    let starts = PATHS.map(|path| ends_a_start(path, fault, words));
    let runs = PATHS.map(|path| is_outlived(path, fault));
    tokio::join!(join_all(starts), join_all(runs));
}

async fn ends_a_start((from, operation): (&str, &'static str), fault: &Fault, words: &str) {
    let pod = pod(from).await.hasty();
    pod.server.faults().always(Scope::Operation(operation), fault.clone());
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("file").as_str()), (5, ""), "{fault:?} {said}");
    let message = pod.read("termination");
    assert!(message.contains(words), "{fault:?}: {message}");
}

async fn is_outlived((from, operation): (&str, &'static str), fault: &Fault) {
    let pod = pod(from).await;
    let agent = pod.started().await;
    pod.server.faults().always(Scope::Operation(operation), fault.clone());
    put(&pod, "two");
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    assert_eq!(pod.read("file"), "one", "{fault:?}");
    pod.server.faults().clear();
    let recovered = |pod: &Pod| pod.read("file") == "two" && pod.status()["state"] == "ready";
    pod.until("recovered", recovered).await;
    terminate(&agent);
}

#[tokio::test]
async fn garbage() {
    is_survived(&Fault::Garbage, "").await;
}

#[tokio::test]
async fn a_page_of_a_broken_proxy() {
    is_survived(&Fault::Status(502), "502").await;
}

/// Whatever a balancer or a proxy says is not said by the backend.
#[tokio::test]
async fn a_page_of_somebody_else() {
    for status in [403, 404] {
        let from = "vault:secret/app#v";
        let pod = pod(from).await.hasty();
        let scope = Scope::Operation("GET /v1/secret/data/app");
        pod.server.faults().always(scope, Fault::Status(status));
        let (code, said) = pod.told("once").await;
        assert_eq!(code, 5, "{said}");
        let (message, status) = (pod.read("termination"), status.to_string());
        for words in [pod.server.url(), status, "Not what you asked for".to_owned()] {
            assert!(message.contains(&words), "`{message}` lacks `{words}`");
        }
    }
}

/// Vault's words for what passes do not end a start.
#[tokio::test]
async fn an_upgrade_that_takes_a_moment() {
    let pod = pod("vault:secret/app#v").await;
    let scope = Scope::Operation("GET /v1/secret/data/app");
    let said = "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.";
    pod.server.faults().times(2, scope, Fault::Vault(400, said));
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("file").as_str()), (0, "one"), "{said}");
}

#[tokio::test]
async fn half_an_answer() {
    is_survived(&Fault::Truncate, "broke off").await;
}

#[tokio::test]
async fn a_closed_connection() {
    is_survived(&Fault::Drop, "broke off").await;
}

#[tokio::test]
async fn an_answer_without_end() {
    is_survived(&Fault::Huge(16 << 20), "longer than 8 MiB").await;
}

#[tokio::test]
async fn throttling() {
    for (from, operation) in PATHS {
        let pod = pod(from).await;
        let fault = if from.starts_with("aws") {
            Fault::Aws(AwsError::throttling())
        } else {
            Fault::Vault(429, "slow down")
        };
        pod.server.faults().times(2, Scope::Operation(operation), fault);
        let (code, said) = pod.told("once").await;
        assert_eq!((code, pod.read("file").as_str()), (0, "one"), "{said}");
        assert!(said.contains("asks for fewer calls"), "{said}");
    }
}

#[tokio::test]
async fn a_sealed_server_is_not_a_wrong_role() {
    let pod = pod("vault:secret/app").await.hasty();
    pod.server.vault().seal();
    assert_eq!(pod.told("once").await.0, 5);
    assert!(pod.read("termination").contains("Vault is sealed"), "{}", pod.read("termination"));
}

#[tokio::test]
async fn silence_ends_with_the_start_deadline() {
    let pod = pod("vault:secret/app").await.hasty();
    pod.server.faults().always(Scope::All, Fault::Hang);
    let (code, _) = pod.told("once").await;
    assert_eq!(code, 5);
    assert_eq!(pod.read("termination"), "`vault:secret/app`: no answer within 3s");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_no_token_is_sent_there() {
    for (from, operation) in PATHS {
        let pod = pod(from).await.hasty();
        let elsewhere =
            mayfly_tests::secret_server::SecretServer::start_plain().await.expect("a server");
        pod.server.faults().always(Scope::Operation(operation), Fault::Redirect(elsewhere.url()));
        let (code, said) = pod.told("once").await;
        assert_eq!(code, 5, "{said}");
        assert!(elsewhere.requests().is_empty());
    }
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let pod = pod("vault:secret/app").await;
    pod.server.faults().always(Scope::All, Fault::Delay(Duration::from_millis(100)));
    assert_eq!(pod.told("once").await.0, 0);
}
