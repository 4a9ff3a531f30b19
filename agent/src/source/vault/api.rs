//! Vault's HTTP API: vaultrs' middleware and rustify's endpoints over the agent's own client.

mod flight;

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rustify::{endpoint::Endpoint, errors::ClientError};
use tokio::{sync::Semaphore, time::Instant};
use vaultrs::api::EndpointMiddleware;
use zeroize::Zeroizing;

use flight::Flights;
pub(super) use flight::Landed;

use super::{
    hidden,
    index::{INDEX, Index},
    request::Request,
    verdict::{self, ApiError, Body},
};
use crate::http::{Answer, Client, TransportError, exchange};

/// Calls at once, and so connections. A read takes Vault less time than a TLS handshake takes both
/// sides, and hundreds of agents may come at once after an outage.
const CONCURRENT: usize = 2;
/// Who has no answer by then gives the place to another: an engine may hang, and the rest of Vault
/// is not to wait for it.
const BRISK: Duration = Duration::from_secs(1);

/// How long is waited for a node that has not caught up, each time: it takes milliseconds.
const CATCH_UP: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// What carries a request to the server and its answer back.
#[async_trait]
pub(super) trait Wire: Debug + Send + Sync {
    async fn exchange(&self, request: reqwest::Request) -> Result<Answer, TransportError>;
}

#[async_trait]
impl Wire for Client {
    async fn exchange(&self, request: reqwest::Request) -> Result<Answer, TransportError> {
        exchange(self, request).await
    }
}

/// A server, and the calls to it that go on by themselves.
#[derive(Debug)]
pub(super) struct Api {
    server: Arc<Server>,
    flights: Flights,
}

/// A server and, perhaps, one of its namespaces.
#[derive(Debug)]
struct Server {
    transport: Transport,
    namespace: Option<String>,
    permits: Semaphore,
}

impl Api {
    /// The server at `address`; `limit` is how long an answer is waited for.
    pub(super) fn new(
        address: &url::Url,
        wire: impl Wire + 'static,
        limit: Duration,
        namespace: Option<String>,
    ) -> Self {
        let (base, wire) = (address.to_string(), Box::new(wire));
        let transport = Transport { base, wire, limit, index: Mutex::default() };
        let server = Server { transport, namespace, permits: Semaphore::new(CONCURRENT) };
        Self { server: Arc::new(server), flights: Flights::default() }
    }

    /// The server's address.
    pub(super) fn address(&self) -> &str {
        self.server.transport.address()
    }

    /// Makes the call, as whoever holds `token`. Who stops waiting for it breaks it off.
    pub(super) async fn call(
        &self,
        request: Request,
        token: Option<&str>,
    ) -> Result<Body, ApiError> {
        self.server.call(request, token).await
    }

    /// Makes a call that makes something, which goes on although nobody waits for it any more. Who
    /// asks for the same `what` meanwhile, or later, gets its answer.
    pub(super) async fn make(&self, what: &str, request: Request, token: Option<&str>) -> Landed {
        let begin = || {
            let (server, token) = (self.server.clone(), token.map(str::to_owned));
            tokio::spawn(async move {
                let token = token.map(Zeroizing::new);
                server.call(request, token.as_ref().map(|token| token.as_str())).await
            })
        };
        self.flights.join(what, token, begin).await
    }

    /// Every call that went on by itself, and what came of it within `limit`.
    pub(super) async fn land(&self, limit: Duration) -> Vec<Landed> {
        self.flights.land(limit).await
    }
}

impl Server {
    async fn call(&self, request: Request, token: Option<&str>) -> Result<Body, ApiError> {
        let middleware = EndpointMiddleware {
            token: token.unwrap_or_default().to_owned(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: request.namespace.clone().or_else(|| self.namespace.clone()),
        };
        // The semaphore is never closed; without a permit the call would only be one too many.
        let permit = self.permits.acquire().await;
        let answer = {
            let endpoint = request.with_middleware(&middleware);
            let call = self.exec(&endpoint);
            tokio::pin!(call);
            if let Ok(answer) = tokio::time::timeout(BRISK, &mut call).await {
                answer
            } else {
                drop(permit);
                call.await
            }
        };
        let _ = Zeroizing::new(middleware.token);
        answer.map_err(|error| error.without(token.as_slice()))
    }

    /// Asks again while the node that answers has not seen yet what others have told us.
    async fn exec(&self, endpoint: &impl Endpoint) -> Result<Body, ApiError> {
        let mut waits = CATCH_UP.iter();
        loop {
            let error = match endpoint.exec(&self.transport).await {
                Ok(answer) => return Ok(Zeroizing::new(answer.response.into_body())),
                Err(error) => api_error(error),
            };
            let is_behind = matches!(&error, ApiError::Status(it) if it.status == 412);
            match waits.next().filter(|_| is_behind) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Err(error),
            }
        }
    }
}

impl ApiError {
    /// The same without `secrets`: a server may quote what it was sent.
    pub(super) fn without(mut self, secrets: &[&str]) -> Self {
        let hide = |said: &mut String| *said = hidden::without(said, secrets);
        match &mut self {
            Self::Status(refusal) => refusal.errors.iter_mut().for_each(hide),
            Self::Foreign(verdict::Foreign { form: verdict::Form::Words(said), .. }) => hide(said),
            _ => {}
        }
        self
    }
}

/// The one place where rustify's errors become ours: some of them hold whole answers.
fn api_error(error: ClientError) -> ApiError {
    match error {
        ClientError::GenericError { source } => {
            source.downcast::<ApiError>().unwrap_or(ApiError::Garbage)
        }
        _ => ApiError::Garbage,
    }
}

/// rustify's client over ours, so that its limits hold, and our judgement of what an answer is.
#[derive(Debug)]
struct Transport {
    base: String,
    wire: Box<dyn Wire>,
    limit: Duration,
    index: Mutex<Index>,
}

impl Transport {
    fn address(&self) -> &str {
        self.base.trim_end_matches('/')
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: reqwest::Request) -> Result<Answer, ApiError> {
        let late = |_| TransportError::Timeout(self.address().to_owned());
        let answer = tokio::time::timeout(self.limit, self.wire.exchange(request)).await;
        let answer = answer.map_err(late).and_then(|answer| answer);
        let answer = answer.map_err(|error| ApiError::Transport(error.to_string()))?;
        let is_behind = answer.status() == http::StatusCode::PRECONDITION_FAILED;
        self.index().note(answer.headers().get(INDEX), is_behind, Instant::now());
        verdict::judge(answer.status(), answer.headers(), answer.body(), self.address())?;
        Ok(answer)
    }
}

#[async_trait]
impl rustify::client::Client for Transport {
    fn base(&self) -> &str {
        &self.base
    }

    async fn send(
        &self,
        mut request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, ClientError> {
        if let Some(index) = self.index().known().cloned() {
            request.headers_mut().insert(INDEX, index);
        }
        let mut request: reqwest::Request =
            request.try_into().map_err(|source| ClientError::ReqwestBuildError { source })?;
        *request.timeout_mut() = Some(self.limit);
        let answer = self.answer(request).await;
        let answer = answer.map_err(|error| ClientError::GenericError { source: error.into() })?;
        Ok(answer.map(|mut body| std::mem::take(&mut *body)))
    }
}
