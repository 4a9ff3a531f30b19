//! The webhook's server on a port of its own: what it answers, and what it survives.
//!
//! Limits are made short so that a test waits for an end, never for a time. The numbers in the comments are those of
//! the test catalogue.

mod callers;
mod client;
mod crowd;
mod hostile;
mod running;

use std::{sync::Arc, time::Duration};

use mayfly_admission::{config::Config, policy::Namespace};
use mayfly_webhook::{
    namespaces::Namespaces,
    server::{Limits, Pace},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
};

use client::{Client, padded, post, review};
use running::{Running, Setting};

/// A time that only a server which does not keep its limits would take.
const PATIENCE: Duration = Duration::from_secs(20);

fn short() -> Limits {
    let moment = Duration::from_millis(200);
    Limits {
        handshake: moment,
        header: moment,
        body: Pace { grace: moment, rate: 1 << 20 },
        ending: moment,
        ..Limits::default()
    }
}

// T1
#[tokio::test]
async fn a_review_is_answered_with_its_uid_and_a_patch() {
    let server = Running::start(Limits::default()).await;
    let answer = server.review("u-1").await;
    assert_eq!(answer["response"]["uid"], "u-1");
    assert_eq!(answer["response"]["patchType"], "JSONPatch");
    assert!(answer["response"]["patch"].is_string());
}

// T127
#[tokio::test]
async fn each_answer_is_the_connections_last_once_the_server_is_about_to_stop() {
    let server = Running::start(Limits::default()).await;
    let mut client = server.client().await;
    let kept = client.send(&post(&review("before").to_string())).await.to_ascii_lowercase();
    assert!(!kept.contains("connection: close"), "{kept}");
    server.draining.begin();
    let last = client.send(&post(&review("after").to_string())).await.to_ascii_lowercase();
    assert!(last.starts_with("http/1.1 200") && last.contains("connection: close"), "{last}");
    assert_eq!(client.ends(PATIENCE).await, "");
    assert_eq!(server.review("elsewhere").await["response"]["allowed"], true);
}

// T4, T5, T7
#[tokio::test]
async fn what_is_no_review_is_a_bad_request_with_a_reason() {
    let server = Running::start(Limits::default()).await;
    for (body, reason) in [
        (String::new(), "not JSON"),
        ("{\"kind\":\"Admis".to_owned(), "not JSON"),
        ("[".repeat(100_000), "not JSON"),
        (json!({"kind": "Pod", "apiVersion": "v1"}).to_string(), "not an AdmissionReview"),
        (review("u").to_string().replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1"), "v1"),
        (
            json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}).to_string(),
            "no request",
        ),
    ] {
        let answer = server.client().await.send(&post(&body)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains(reason), "`{answer}` lacks `{reason}`");
    }
}

// T9
#[tokio::test]
async fn no_path_method_or_host_is_redirected() {
    let server = Running::start(Limits::default()).await;
    for line in [
        "GET / HTTP/1.1",
        "GET /mutate HTTP/1.1",
        "POST /mutate/ HTTP/1.1",
        "GET //mutate HTTP/1.1",
        "PUT /mutate HTTP/1.1",
        "GET http://elsewhere/ HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "HEAD /../etc HTTP/1.1",
    ] {
        let request = format!(
            "{line}\r\nHost: 169.254.169.254\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let answer = server.client().await.send(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{line}: {answer}");
    }
}

// T10
#[tokio::test]
async fn a_body_may_be_an_object_and_its_envelope_and_not_more() {
    let server = Running::start(Limits::default()).await;
    let room = (3 << 20) + (256 << 10) - padded("u", 0).len();
    let answer = server.client().await.send(&post(&padded("u", room))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{}", &answer[..100]);
    // It is refused for what it says, before it comes.
    let head = client::head((3 << 20) + (256 << 10) + 1);
    let answer = server.client().await.send(&head).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.review("afterwards").await;
}

// T10
#[tokio::test]
async fn an_endless_body_is_refused_when_it_is_too_long() {
    let server = Running::start(Limits::default()).await;
    let mut client = server.client().await;
    let head = "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.stream.write_all(head.as_bytes()).await.expect("a header");
    let chunk = format!("{:x}\r\n{}\r\n", 65536, " ".repeat(65536));
    let mut written = 0;
    while written < 64 << 20 && client.stream.write_all(chunk.as_bytes()).await.is_ok() {
        written += 65536;
    }
    assert!(written < 64 << 20, "all of it was taken");
}

// T11, T12
#[tokio::test]
async fn the_kind_of_body_is_looked_at_before_the_body() {
    let server = Running::start(Limits::default()).await;
    let length = "Content-Length: 1000000";
    for headers in [
        length.to_owned(),
        format!("{length}\r\nContent-Type: text/plain"),
        format!("{length}\r\nContent-Type: application/jsonp"),
        format!("{length}\r\nContent-Type: application/json\r\nContent-Encoding: gzip"),
    ] {
        let request = format!("POST /mutate HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n");
        let answer = server.client().await.send(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 415"), "{headers}: {answer}");
    }
    let body = review("u").to_string();
    let with_charset = String::from_utf8(post(&body)).expect("text");
    let with_charset = with_charset.replace("application/json", "application/json; charset=utf-8");
    let answer = server.client().await.send(with_charset.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

// T13
#[tokio::test]
async fn who_never_says_hello_is_sent_away_and_holds_up_nobody() {
    let server = Running::start(short()).await;
    let mut silent = server.connect().await;
    server.review("while the other is silent").await;
    assert_eq!(
        tokio::time::timeout(PATIENCE, silent.read(&mut [0])).await.expect("an end").ok(),
        Some(0)
    );
}

// T14
#[tokio::test]
async fn who_never_ends_the_header_is_sent_away() {
    let server = Running::start(short()).await;
    let mut client = server.client().await;
    client.stream.write_all(b"POST /mutate HT").await.expect("half a header");
    client.ends(PATIENCE).await;
    server.review("afterwards").await;
}

// T15
#[tokio::test]
async fn who_never_ends_the_body_is_told_so() {
    let server = Running::start(short()).await;
    let mut client = server.client().await;
    let head = "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    client.stream.write_all(head.as_bytes()).await.expect("a part");
    let answer = client.ends(PATIENCE).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

// T16
#[tokio::test]
async fn a_crowd_of_idle_connections_keeps_nobody_out() {
    // No time ends an idle connection here: only the next one can.
    let ever = 100 * PATIENCE;
    let limits = Limits { connections: 4, handshake: ever, idle: ever, ..Limits::default() };
    let server = Running::start(limits).await;
    let mut crowd = Vec::new();
    for _ in 0..40 {
        crowd.push(server.connect().await);
    }
    let idle = server.client().await;
    server.review("through the crowd").await;
    drop((crowd, idle));
}

// T17
#[tokio::test]
async fn what_is_no_tls_is_refused() {
    let server = Running::start(short()).await;
    for hello in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        &[0x80, 0x2e, 1, 3, 1],
        &[0xff; 64],
        b"\x16\x03\x01\xff\xff",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(hello).await.expect("a greeting");
        let mut answer = Vec::new();
        let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
        let _reset_or_closed = end.await.expect("an end");
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    assert!(server.try_handshake(&rustls::version::TLS12, &[]).await.is_err(), "TLS 1.2");
    server.review("afterwards").await;
}

// T18
#[tokio::test]
async fn http_2_is_not_negotiated() {
    let server = Running::start(Limits::default()).await;
    assert!(server.try_handshake(&rustls::version::TLS13, &["h2"]).await.is_err());
    let stream = server
        .try_handshake(&rustls::version::TLS13, &["h2", "http/1.1"])
        .await
        .expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

// T19
#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_is_forgotten() {
    let server = Running::start(Limits::default()).await;
    for _ in 0..20 {
        let mut client = server.client().await;
        let request = post(&review("u").to_string());
        client.stream.write_all(&request[..request.len() - 10]).await.expect("a part");
    }
    server.review("afterwards").await;
    server.has_connections_at_most(1).await;
}

// T20
#[tokio::test]
async fn a_panic_costs_one_request() {
    let server = Running::start_with(
        Limits::default(),
        Arc::new(|body| {
            assert!(!body.windows(5).any(|window| window == b"panic"), "injected");
            mayfly_admission::review::review(
                &mayfly_admission::config::Config::default(),
                &mayfly_admission::policy::Directory::default(),
                body,
            )
        }),
    )
    .await;
    let answer = server.client().await.send(&post(&review("panic").to_string())).await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    server.review("afterwards").await;
    assert!(server.metrics.render().contains("mayfly_webhook_panics_total 1"));
}

// T21
#[tokio::test]
async fn many_at_once_each_get_their_own_answer() {
    let server = Running::start(Limits::default()).await;
    let connection = async |number: usize| {
        let mut client = server.client().await;
        for request in 0..25 {
            let uid = format!("uid-{number}-{request}");
            assert_eq!(client.review(&uid).await["response"]["uid"], uid);
        }
    };
    futures_util::future::join_all((0..8).map(connection)).await;
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Running::start(Limits::default()).await;
    let mut client = server.client().await;
    for number in 0..5 {
        let uid = format!("uid-{number}");
        let answer: Value = client.review(&uid).await;
        assert_eq!(answer["response"]["uid"], uid);
    }
}

#[tokio::test]
async fn what_was_begun_is_finished_after_the_end_was_asked_for() {
    let server = Running::start(Limits::default()).await;
    let mut client = server.client().await;
    let body = review("late").to_string();
    let request = String::from_utf8(post(&body)).expect("text");
    let head =
        request.replace("Host: x\r\n", "Host: x\r\nExpect: 100-continue\r\n").replace(&body, "");
    client.stream.write_all(head.as_bytes()).await.expect("a header");
    // The server says this once it waits for the body.
    let mut go_on = [0; 25];
    client.stream.read_exact(&mut go_on).await.expect("leave to go on");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.stop.cancel();
    client.stream.write_all(body.as_bytes()).await.expect("the body");
    let answer = client.ends(PATIENCE).await;
    assert!(answer.contains("\"uid\":\"late\""), "{answer}");
    tokio::time::timeout(PATIENCE, server.task).await.expect("an end").expect("no panic");
}

#[tokio::test]
async fn decisions_are_counted_by_what_was_decided() {
    let server = Running::start(Limits::default()).await;
    server.review("u").await;
    server.client().await.send(&post("garbage")).await;
    let metrics = server.metrics.render();
    for line in [
        r#"mayfly_webhook_reviews_total{decision="injected",mode="sidecar",reason="asked"} 1"#,
        r#"mayfly_webhook_reviews_total{decision="malformed",mode="none",reason="json"} 1"#,
        r#"mayfly_webhook_review_duration_seconds_count{decision="injected"} 1"#,
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn the_admin_port_tells_health_readiness_and_metrics() {
    let (server, unready) = (Running::start(Limits::default()).await, "no certificate yet");
    let admin = server.admin(Arc::new(move || Err(unready))).await;
    for (path, status) in
        [("/healthz", "200"), ("/readyz", "503"), ("/metrics", "200"), ("/debug", "404")]
    {
        let mut client =
            Client { stream: tokio::net::TcpStream::connect(admin).await.expect("a connection") };
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = client.send(request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_pod_of_a_namespace_that_was_just_made_waits_for_it() {
    let config = Config::from_yaml("namespace-annotations: true").expect("a configuration");
    let (namespaces, asked) = (Namespaces::default(), Arc::new(Notify::new()));
    namespaces.learn([]);
    let reviewer = {
        let (namespaces, asked) = (namespaces.clone(), Arc::clone(&asked));
        Arc::new(move |body: &[u8]| {
            asked.notify_one();
            mayfly_admission::review::review(&config, &namespaces.directory(), body)
        })
    };
    let setting = Setting { namespaces: namespaces.clone(), reviewer, ..Setting::default() };
    let server = Running::start_in(setting).await;
    let made = async {
        asked.notified().await;
        namespaces.learn([Namespace::named("default")]);
    };
    let (answer, ()) = tokio::join!(server.review("u-1"), made);
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
}
