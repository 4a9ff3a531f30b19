//! Connections that send slowly, take slowly, or only sit there: they cost honest ones nothing.

use std::{sync::Arc, time::Duration};

use mayfly_webhook::server::{Lane, Limits, Pace};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::{
    PATIENCE,
    client::{Client, head, post, review},
    running::{Running, reviewer},
};

/// No time ends anything here: only seats and bytes that run short can.
fn timeless() -> Limits {
    let ever = 100 * PATIENCE;
    Limits {
        handshake: ever,
        idle: ever,
        header: ever,
        body: Pace { grace: ever, rate: 1 },
        turn: ever,
        request: ever,
        answer: ever,
        ..Limits::default()
    }
}

/// A client that has sent all of a review but for its end.
async fn slow(server: &Running) -> Client<TlsStream<TcpStream>> {
    let mut client = server.client().await;
    let request = post(&review("slow").to_string());
    client.stream.write_all(&request[..request.len() - 1]).await.expect("a part");
    client
}

#[tokio::test]
async fn a_crowd_of_slow_bodies_keeps_nobody_out_and_the_kept_connection_in() {
    let server = Running::start(Limits { connections: 8, ..timeless() }).await;
    // The API server's: the oldest of all, and idle between two reviews.
    let mut kept = server.client().await;
    kept.review("before").await;
    let mut crowd = Vec::new();
    for number in 0..100 {
        crowd.push(slow(&server).await);
        if number % 10 == 0 {
            server.review("through the crowd").await;
        }
    }
    assert_eq!(kept.review("after").await["response"]["uid"], "after");
    server.review("a new one").await;
    assert!(server.metric("connections_evicted_total") > 90);
    // Whoever is evicted goes at once, not when it is done.
    server.has_connections_at_most(8).await;
}

#[tokio::test]
async fn a_crowd_of_handshakes_keeps_nobody_out() {
    let server = Running::start(Limits { handshakes: 4, ..timeless() }).await;
    let mut kept = server.client().await;
    kept.review("before").await;
    let mut crowd = Vec::new();
    for _ in 0..100 {
        let mut silent = server.connect().await;
        silent.write_all(&[0x16, 3, 1]).await.expect("the beginning of a hello");
        crowd.push(silent);
    }
    server.review("through the crowd").await;
    assert_eq!(kept.review("after").await["response"]["uid"], "after");
    // Those four, and the kept one.
    server.has_connections_at_most(5).await;
}

#[tokio::test]
async fn bodies_that_do_not_come_make_room_for_those_that_do() {
    // Each of the crowd speaks of all the bytes that there are, and keeps the last one back.
    let all = 64 << 10;
    let lane = Lane { largest: all, bodies: all, threads: 1 };
    let server = Running::start(Limits { lanes: [lane; 3], ..timeless() }).await;
    let mut crowd = Vec::new();
    for _ in 0..20 {
        let mut client = server.client().await;
        client.stream.write_all(&head(all)).await.expect("a header");
        let _evicted_meanwhile = client.stream.write_all(&vec![b' '; all - 1]).await;
        crowd.push(client);
        server.review("an honest one").await;
    }
    server.has_connections_at_most(1).await;
}

#[tokio::test]
async fn a_header_that_does_not_end_ends_its_connection_and_no_idle_one() {
    let limits = Limits { header: Duration::from_millis(100), ..timeless() };
    let server = Running::start(limits).await;
    let mut kept = server.client().await;
    kept.review("before").await;
    let mut slow = server.client().await;
    slow.review("so far").await;
    slow.stream.write_all(b"POST /mutate HTTP/1.1\r\nX: ").await.expect("a part");
    assert_eq!(slow.ends(PATIENCE).await, "");
    assert_eq!(kept.review("after").await["response"]["uid"], "after");
    assert_eq!(server.metric("connections_overdue_total"), 1);
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_refused_however_steadily() {
    let body = Pace { grace: Duration::from_millis(200), rate: 1 << 30 };
    let server = Running::start(Limits { body, ..timeless() }).await;
    let mut client = server.client().await;
    client.stream.write_all(&head(1 << 20)).await.expect("a header");
    let drip = async {
        while client.stream.write_all(b" ").await.is_ok() && client.stream.flush().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, drip).await.expect("it was let go on");
    let metrics = server.metrics.render();
    assert!(metrics.contains(r#"requests_refused_total{status="408"} 1"#), "{metrics}");
    server.review("afterwards").await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_its_connection() {
    let honest = reviewer();
    let limits = Limits { answer: Duration::from_millis(100), ..timeless() };
    let server = Running::start_with(
        limits,
        Arc::new(move |body| {
            let mut review = honest(body);
            // More than what all buffers of a connection hold.
            review.warnings.push("x".repeat(32 << 20));
            review
        }),
    )
    .await;
    let mut client = server.client().await;
    client.stream.write_all(&post(&review("u").to_string())).await.expect("a review");
    let mut byte = [0];
    let begun = client.stream.read_exact(&mut byte);
    tokio::time::timeout(PATIENCE, begun).await.expect("an answer").expect("a byte");
    server.has_connections_at_most(0).await;
    assert_eq!(server.metric("connections_overdue_total"), 1);
}
