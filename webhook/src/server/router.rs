//! `/mutate` and `/warn`: from a request to a review to an answer, and one log line for each decision.
//!
//! EDGE. Of the object only its namespace, name and owner are ever logged.

use std::{
    fmt, io,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{
    Callers, Clock, Draining, Limits, Metrics, Reviewer, body,
    connection::{Answers, Visit},
    lanes::{Lanes, Room, Spots},
    progress::Phase,
    refusal::Refusal,
    seats::Seats,
};
use crate::namespaces::Namespaces;
use mayfly_admission::{
    fault::quote,
    review::{Decision, Malformed, Review},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A body that comes at all is here by then.
const MOMENT: Duration = Duration::from_millis(50);
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
    /// Who may ask, if not everybody.
    pub callers: Option<Arc<Callers>>,
    /// Where decisions are counted.
    pub metrics: Arc<Metrics>,
    /// How long they took.
    pub clock: Clock,
    /// Whether each answer is its connection's last.
    pub draining: Draining,
}

impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutation").finish_non_exhaustive()
    }
}

/// Answers for as long as the server runs.
pub(super) struct Router {
    mutation: Arc<Mutation>,
    limits: Limits,
    lanes: Lanes,
    seats: Seats,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
enum Question {
    Mutate,
    Warn,
}

/// What a review came to.
enum Verdict {
    Answer(Result<Vec<u8>, Malformed>),
    /// It depends on that namespace, which is not known yet.
    Awaits(String),
}

impl Router {
    /// On the runtime that serves.
    pub(super) fn new(mutation: Mutation, limits: &Limits, seats: &Seats) -> io::Result<Self> {
        let (lanes, seats) = (Lanes::new(limits)?, seats.clone());
        Ok(Self { mutation: Arc::new(mutation), limits: limits.clone(), lanes, seats })
    }

    pub(super) fn spots(&self) -> Spots {
        self.lanes.spots()
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        visit: &Visit,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        if !visit.is_known() {
            return Err(Refusal::STRANGER);
        }
        let question = Question::of(&request)?;
        body::look(request.headers())?;
        let body = request.into_body();
        let (lane, most) = self.lanes.find(body::length(&body))?;
        let _room = self.make_room(visit, lane, most).await?;
        visit.place.enter(Phase::Body(lane, most));
        let body = body::read(body, most, self.limits.body).await?;
        visit.place.enter(Phase::Review);
        let start = (self.mutation.clock)();
        match self.decide(question, lane, body, start).await? {
            Ok(answer) => {
                let mut response = Response::new(Bytes::from(answer).into());
                response.headers_mut().insert(header::CONTENT_TYPE, JSON);
                Ok(response)
            }
            Err(malformed) => Ok(bad_request(&malformed)),
        }
    }

    /// Room for a body of that length, if need be at the cost of those who send theirs slowly.
    async fn make_room(&self, visit: &Visit, lane: usize, length: usize) -> Result<Room, Refusal> {
        if let Some(room) = self.lanes.try_room(lane, length) {
            return Ok(room);
        }
        visit.place.enter(Phase::Body(lane, 0));
        let mut room = pin!(self.lanes.room(lane, length));
        loop {
            self.mutation.metrics.evicted(self.seats.make_room(lane, length, MOMENT));
            if let Ok(room) = timeout(MOMENT, room.as_mut()).await {
                return room;
            }
        }
    }

    /// Decides; once more when the pod's namespace becomes known within a moment.
    async fn decide(
        &self,
        question: Question,
        lane: usize,
        body: Bytes,
        start: Instant,
    ) -> Result<Result<Vec<u8>, Malformed>, Refusal> {
        let review = |is_last| {
            let (mutation, length, body) = (Arc::clone(&self.mutation), body.len(), body.clone());
            let work = move || mutation.review(question, &body, start, is_last);
            self.lanes.run(lane, length, work)
        };
        let mut is_last = false;
        loop {
            match review(is_last).await? {
                Verdict::Answer(answer) => return Ok(answer),
                Verdict::Awaits(namespace) => {
                    self.mutation.namespaces.appears(&namespace).await;
                    is_last = true;
                }
            }
        }
    }
}

impl Question {
    fn of<B>(request: &Request<B>) -> Result<Self, Refusal> {
        let question = match request.uri().path() {
            "/mutate" => Self::Mutate,
            "/warn" => Self::Warn,
            _ => return Err(Refusal::NOT_FOUND),
        };
        if request.method() == Method::POST { Ok(question) } else { Err(Refusal::METHOD) }
    }
}

impl Answers for Router {
    type Body = Full<Bytes>;

    async fn answer(&self, request: Request<Incoming>, visit: &Visit) -> Response<Self::Body> {
        let outcome = self.respond(request, visit).await;
        let mut response = outcome.unwrap_or_else(|refusal| {
            self.mutation.metrics.refused(refusal);
            refusal.into()
        });
        if self.mutation.draining.has_begun() {
            response.headers_mut().insert(header::CONNECTION, CLOSE);
        }
        response
    }
}

impl Mutation {
    /// One review, to its answer's bytes: everything that takes long.
    fn review(&self, question: Question, body: &[u8], start: Instant, is_last: bool) -> Verdict {
        let reviewer = match question {
            Question::Mutate => &self.reviewer,
            Question::Warn => &self.forecaster,
        };
        let review = reviewer(body);
        if review.awaits_namespace && !is_last {
            return Verdict::Awaits(review.namespace);
        }
        let answer = review.answer();
        let duration = (self.clock)().saturating_duration_since(start);
        self.metrics.decided(&review, duration);
        if !matches!(review.decision, Decision::Forecast(_)) {
            self.metrics.judged(&review.account.judgement);
        }
        log(&review, duration);
        Verdict::Answer(answer)
    }
}

fn bad_request(malformed: &Malformed) -> Response<Full<Bytes>> {
    let mut response = Response::new(Bytes::from(format!("{malformed}\n")).into());
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    response
}

fn log(review: &Review, duration: Duration) {
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
