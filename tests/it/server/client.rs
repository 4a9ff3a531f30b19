//! A client that says exactly what it is told to.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// One connection.
pub(super) struct Client<S> {
    pub(super) stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Sends `request` and reads until the whole answer is there.
    pub(super) async fn send(&mut self, request: &[u8]) -> String {
        // A server that refuses early may have closed before the last byte.
        let _refused_early = self.stream.write_all(request).await;
        let mut answer = Vec::new();
        while !is_complete(&answer) {
            match self.stream.read_buf(&mut answer).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        String::from_utf8(answer).expect("text")
    }

    /// What the server says until it closes.
    pub(super) async fn ends(&mut self, patience: Duration) -> String {
        let mut answer = Vec::new();
        let end = tokio::time::timeout(patience, self.stream.read_to_end(&mut answer));
        let _reset_or_closed = end.await.expect("the server never closed");
        String::from_utf8(answer).expect("text")
    }

    /// A whole review.
    pub(super) async fn review(&mut self, uid: &str) -> Value {
        let answer = self.send(&post(&review(uid).to_string())).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        assert!(head.starts_with("HTTP/1.1 200"), "{uid}: {answer}");
        serde_json::from_str(body).expect("JSON")
    }
}

fn is_complete(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

/// The review of an annotated pod.
pub(super) fn review(uid: &str) -> Value {
    let annotations = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:prod/db#a"});
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "operation": "CREATE",
            "namespace": "default",
            "object": {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"generateName": "web-", "annotations": annotations},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
        },
    })
}

/// The same with so many bytes more.
pub(super) fn padded(uid: &str, bytes: usize) -> String {
    let mut review = review(uid);
    review["request"]["object"]["metadata"]["annotations"]["example.com/padding"] =
        "x".repeat(bytes).into();
    review.to_string()
}

/// The header of a request with a body of that length.
pub(super) fn head(length: usize) -> Vec<u8> {
    format!(
        "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

/// A whole request.
pub(super) fn post(body: &str) -> Vec<u8> {
    [&head(body.len()), body.as_bytes()].concat()
}
