//! What goes wrong on purpose.

use std::time::Duration;

use mayfly_tests::secret_server::{AwsError, Fault, Protocol, Scope, SecretServer};
use reqwest::Response;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Caller;

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
