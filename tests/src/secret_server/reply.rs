//! What the server answers, before it becomes bytes on a connection.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, StatusCode, header},
};
use serde_json::Value;

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// The HTTP status.
    pub(super) status: u16,
    /// The value of `Content-Type`; empty for an answer without a body.
    pub(super) content_type: &'static str,
    /// The body.
    pub(super) body: Bytes,
    /// How far Vault's storage is, if it tells.
    pub(super) index: Option<u64>,
}

impl Reply {
    /// A JSON answer.
    pub(super) fn json(status: u16, content_type: &'static str, body: &Value) -> Self {
        Self::text(status, content_type, body.to_string())
    }

    /// An answer of some other text.
    pub(super) fn text(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into(), index: None }
    }

    /// 204: done, and nothing to say.
    pub(super) fn empty() -> Self {
        Self::text(204, "", Bytes::new())
    }

    /// The answer, whole.
    pub(super) fn whole(self) -> Response<Body> {
        let body = Body::from(self.body.clone());
        self.with_body(body)
    }

    /// The answer's head, with another body that is announced to be as long as the answer's own.
    pub(super) fn with_body(self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        if !self.content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            headers.insert(header::CONTENT_LENGTH, self.body.len().into());
        }
        if let Some(index) = self.index {
            headers.insert("x-vault-index", index.into());
        }
        response
    }
}
