//! Reviews that take long, however that comes about: what they hold up, and what not.

use std::sync::{
    Arc, Condvar, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use mayfly_webhook::server::{Lane, Limits, Reviewer};
use tokio::net::TcpStream;

use super::{
    PATIENCE,
    client::{Client, padded, post, review},
    running::{Running, reviewer},
};

/// As many as the issue names.
const HOSTILE: usize = 4;

/// Where a review with the word `hostile` in it stays until it is let go.
#[derive(Default)]
struct Gate {
    inside: AtomicUsize,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn reviewer(self: &Arc<Self>) -> Reviewer {
        let (gate, honest) = (Arc::clone(self), reviewer());
        Arc::new(move |body| {
            if body.windows(7).any(|word| word == b"hostile") {
                gate.stay();
            }
            honest(body)
        })
    }

    /// Holds its thread, as a computation without an end would.
    fn stay(&self) {
        self.inside.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.lock().expect("a gate");
        while !*open {
            open = self.opened.wait(open).expect("a gate");
        }
    }

    fn open(&self) {
        *self.open.lock().expect("a gate") = true;
        self.opened.notify_all();
    }

    /// Waits until so many reviews are held.
    async fn holds(&self, count: usize) {
        let full = async {
            while self.inside.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, full).await.expect("they never came");
    }
}

/// A test that fails must not wait for its own reviews.
struct Opened<'a>(&'a Gate);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// Sends it on a connection of its own, and hands out what comes back.
async fn send(server: &Running, body: String) -> String {
    server.client().await.send(&post(&body)).await
}

async fn health(admin: std::net::SocketAddr) -> String {
    let mut client = Client { stream: TcpStream::connect(admin).await.expect("a connection") };
    client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await
}

/// With hostile bodies of that many bytes, of which `held` are reviewed at once.
async fn others_are_answered_beside(bytes: usize, held: usize) {
    let gate = Arc::new(Gate::default());
    let server = Arc::new(Running::start_with(Limits::default(), gate.reviewer()).await);
    let admin = server.admin(Arc::new(|| Ok(()))).await;
    let _opened = Opened(&gate);
    let mut kept = server.client().await;
    kept.review("before").await;
    let hostile = (0..HOSTILE).map(|_| {
        let server = Arc::clone(&server);
        tokio::spawn(async move { send(&server, padded("hostile", bytes)).await })
    });
    let hostile: Vec<_> = hostile.collect();
    gate.holds(held).await;
    // New connections and kept ones, again and again.
    for number in 0..10 {
        server.review(&format!("new-{number}")).await;
        let answer = tokio::time::timeout(PATIENCE, kept.review("kept")).await;
        assert_eq!(answer.expect("an answer")["response"]["uid"], "kept");
        let health = tokio::time::timeout(PATIENCE, health(admin)).await.expect("an answer");
        assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    }
    gate.open();
    for answer in hostile {
        let answer = answer.await.expect("an end");
        match answer.split(' ').nth(1) {
            Some("200") => {}
            // Behind others of its size: who waited too long was told so, who was still sending gave way.
            Some("503") | None if held < HOSTILE => {}
            _ => unreachable!("{answer}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn four_small_reviews_that_never_end_hold_up_nobody() {
    others_are_answered_beside(0, HOSTILE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn four_ordinary_reviews_that_never_end_hold_up_nobody() {
    others_are_answered_beside(30 << 10, HOSTILE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn four_large_reviews_that_never_end_hold_up_nobody() {
    others_are_answered_beside(3 << 20, 1).await;
}

#[tokio::test]
async fn one_worker_alone_is_never_given_to_a_review() {
    others_are_answered_beside(0, HOSTILE).await;
}

#[tokio::test]
async fn a_review_that_waits_too_long_for_its_turn_is_told_to_try_again() {
    let gate = Arc::new(Gate::default());
    let one = |largest| Lane { largest, bodies: largest, threads: 1 };
    let limits = Limits {
        lanes: [one(1 << 16), one(1 << 17), one(1 << 18)],
        turn: std::time::Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Arc::new(Running::start_with(limits, gate.reviewer()).await);
    let _opened = Opened(&gate);
    let first = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { send(&server, review("hostile").to_string()).await })
    };
    gate.holds(1).await;
    let answer = send(&server, review("u").to_string()).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("busy with other reviews of this size: try again"), "{answer}");
    assert!(server.metrics.render().contains(r#"requests_refused_total{status="503"} 1"#));
    gate.open();
    assert!(first.await.expect("an end").starts_with("HTTP/1.1 200"));
    server.review("afterwards").await;
}
