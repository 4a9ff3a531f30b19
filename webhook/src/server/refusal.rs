//! What is said to a request that gets no review.
//!
//! PURE. None of these is a word about a pod: to the API server each is a failed call, and the registration's
//! `failurePolicy` decides.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// A status and words for whoever looks for the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    words: &'static str,
}

impl Refusal {
    pub(super) const NOT_FOUND: Self =
        Self::new(StatusCode::NOT_FOUND, "there is nothing but /mutate and /warn\n");
    pub(super) const METHOD: Self =
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "reviews are sent with POST\n");
    pub(super) const STRANGER: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "a client certificate that --client-ca has signed is asked for: the API server sends one if its AdmissionConfiguration says so\n",
    );
    pub(super) const KIND: Self =
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json\n");
    pub(super) const COMPRESSED: Self =
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed\n");
    pub(super) const TOO_LARGE: Self =
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n");
    pub(super) const BROKEN: Self =
        Self::new(StatusCode::BAD_REQUEST, "the body could not be read\n");
    pub(super) const SLOW: Self =
        Self::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly\n");
    pub(super) const BUSY: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the webhook is busy with other reviews of this size: try again\n",
    );
    pub(super) const PANIC: Self =
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the webhook has failed at this review\n");

    pub(super) const fn status(self) -> StatusCode {
        self.status
    }

    const fn new(status: StatusCode, words: &'static str) -> Self {
        Self { status, words }
    }
}

impl From<Refusal> for Response<Full<Bytes>> {
    fn from(refusal: Refusal) -> Self {
        let mut response = Self::new(Bytes::from_static(refusal.words.as_bytes()).into());
        *response.status_mut() = refusal.status;
        if refusal == Refusal::METHOD {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}
