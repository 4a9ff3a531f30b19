//! The admin port: health, readiness, metrics, in plain HTTP.
//!
//! EDGE. Says nothing of any pod.

use std::{fmt, sync::Arc};

use axum::{Router, body::Body, extract::State, response::IntoResponse, routing::get};
use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::{
    Metrics,
    connection::{Answers, Visit},
};

/// What Prometheus calls the text that the metrics are written in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Tells why the server is not to be sent requests, if there is a reason.
pub type Readiness = Arc<dyn Fn() -> Result<(), &'static str> + Send + Sync>;

/// What the admin port tells.
#[derive(Clone)]
pub struct Admin {
    /// What was counted.
    pub metrics: Arc<Metrics>,
    /// Whether the server is ready.
    pub readiness: Readiness,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

impl From<Admin> for Router {
    fn from(admin: Admin) -> Self {
        Router::<Admin>::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(admin)
    }
}

impl Answers for Router {
    type Body = Body;

    async fn answer(&self, request: Request<Incoming>, _: &Visit) -> Response<Body> {
        match self.clone().oneshot(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    match (admin.readiness)() {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], admin.metrics.render())
}
