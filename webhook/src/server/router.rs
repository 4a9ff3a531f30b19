//! `/mutate` and `/warn`: the limits of a request, and one log line for each decision.
//!
//! EDGE. Of the object only its namespace, name and owner are ever logged.

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use super::{Clock, Draining, Limits, Metrics, Reviewer};
use crate::namespaces::Namespaces;
use mayfly_admission::{
    fault::quote,
    review::{Decision, Review},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// What is behind `/mutate` and `/warn`.
#[derive(Clone)]
pub struct Mutation {
    /// What decides about pods.
    pub reviewer: Reviewer,
    /// What foresees the pods of workloads.
    pub forecaster: Reviewer,
    /// What may still have to become known before it is decided.
    pub namespaces: Namespaces,
    /// Where decisions are counted.
    pub metrics: Arc<Metrics>,
    /// How long they took.
    pub clock: Clock,
    /// Whether each answer is its connection's last.
    pub draining: Draining,
}

impl std::fmt::Debug for Mutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mutation").finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Room {
    mutation: Mutation,
    longest: usize,
}

/// The router, with its limits of body and time, and a 500 where there would be a panic.
pub(super) fn router(mutation: Mutation, limits: &Limits) -> Router {
    let metrics = Arc::clone(&mutation.metrics);
    let room = Room { mutation, longest: limits.body };
    let panicked = move |_: Box<dyn Any + Send>| {
        metrics.panicked();
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    };
    Router::new()
        .route("/mutate", post(mutate))
        .route("/warn", post(warn))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, limits.request))
        .with_state(room)
}

async fn mutate(State(room): State<Room>, request: Request) -> Response {
    let reviewer = &room.mutation.reviewer;
    respond(&room, reviewer, request).await
}

async fn warn(State(room): State<Room>, request: Request) -> Response {
    let reviewer = &room.mutation.forecaster;
    respond(&room, reviewer, request).await
}

async fn respond(room: &Room, reviewer: &Reviewer, request: Request) -> Response {
    let mut response = answer(room, reviewer, request).await;
    if room.mutation.draining.has_begun() {
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    response
}

async fn answer(room: &Room, reviewer: &Reviewer, request: Request) -> Response {
    let body = match read(request, room.longest).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    let Mutation { metrics, clock, .. } = &room.mutation;
    let start = clock();
    let review = decide(&room.mutation.namespaces, reviewer, &body).await;
    let answer = review.answer();
    let duration = clock().saturating_duration_since(start);
    metrics.decided(&review, duration);
    if !matches!(review.decision, Decision::Forecast(_)) {
        metrics.judged(&review.account.judgement);
    }
    log(&review, duration);
    match answer {
        Ok(answer) => ([(header::CONTENT_TYPE, JSON)], answer).into_response(),
        Err(malformed) => (StatusCode::BAD_REQUEST, format!("{malformed}\n")).into_response(),
    }
}

/// Decides; once more when the pod's namespace becomes known within a moment.
async fn decide(namespaces: &Namespaces, reviewer: &Reviewer, body: &[u8]) -> Review {
    let review = reviewer(body);
    if review.awaits_namespace && namespaces.appears(&review.namespace).await {
        return reviewer(body);
    }
    review
}

fn log(review: &Review, duration: std::time::Duration) {
    tracing::info!(
        uid = %quote(&review.uid),
        namespace = %quote(&review.namespace),
        name = %quote(&review.name),
        owner = %quote(&review.owner),
        decision = review.decision.name(),
        mode = review.mode(),
        reason = review.reason(),
        microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        "reviewed",
    );
}

/// The body of a request that says it is JSON; what it says is looked at before it is read.
async fn read(request: Request, longest: usize) -> Result<Bytes, (StatusCode, &'static str)> {
    const TOO_LARGE: (StatusCode, &str) =
        (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n");
    refuse_kind(request.headers())?;
    let body: Body = request.into_body();
    if body.size_hint().lower() > longest as u64 {
        return Err(TOO_LARGE);
    }
    match Limited::new(body, longest).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(TOO_LARGE),
        Err(_) => Err((StatusCode::BAD_REQUEST, "the body could not be read\n")),
    }
}

fn refuse_kind(headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    const UNSUPPORTED: StatusCode = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err((UNSUPPORTED, "the body must be application/json\n"));
    }
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err((UNSUPPORTED, "the body must not be compressed\n"));
    }
    Ok(())
}
