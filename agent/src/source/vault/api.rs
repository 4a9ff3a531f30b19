//! Vault's HTTP API: vaultrs' middleware and rustify's endpoints over the agent's own client.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use rustify::{endpoint::Endpoint, errors::ClientError};
use serde::Deserialize;
use tokio::sync::Semaphore;
use url::Url;
use vaultrs::api::EndpointMiddleware;
use zeroize::Zeroizing;

use super::{Body, hidden, token::Token};
use crate::http::{Client, TransportError, exchange};

/// Calls at once, and so connections. A read takes Vault less time than a TLS handshake takes both
/// sides, and hundreds of agents may come at once after an outage.
const CONCURRENT: usize = 2;

/// The header by which a server says how far its storage was at an answer, and by which it is told
/// that it has to be that far; of Vault Enterprise's performance standbys and OpenBao's.
const INDEX: HeaderName = HeaderName::from_static("x-vault-index");

/// How long is waited for a node that has not caught up, each time: it takes milliseconds.
const CATCH_UP: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// A server and, perhaps, one of its namespaces.
#[derive(Debug)]
pub(super) struct Api {
    transport: Transport,
    namespace: Option<String>,
    permits: Semaphore,
}

/// Why a call gave no data.
#[derive(Debug)]
pub(super) enum ApiError {
    /// There was no answer; why.
    Transport(String),
    /// The server refused.
    Status(Refusal),
    /// The answer is not what Vault would say.
    Garbage,
}

/// An answer that is not a success.
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// Vault's own words.
    pub(super) errors: Vec<String>,
    /// The whole answer: a deleted version's metadata comes with a 404.
    pub(super) body: Body,
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Refusal({})", self.status)
    }
}

impl Api {
    pub(super) fn new(address: &Url, http: Client, namespace: Option<String>) -> Self {
        let base = address.to_string();
        let permits = Semaphore::new(CONCURRENT);
        Self { transport: Transport { base, http, index: Mutex::default() }, namespace, permits }
    }

    /// The server's address.
    pub(super) fn address(&self) -> &str {
        self.transport.base.trim_end_matches('/')
    }

    /// Calls `endpoint`, as whoever holds `token`.
    pub(super) async fn call<E: Endpoint>(
        &self,
        endpoint: E,
        token: Option<&Token>,
    ) -> Result<Body, ApiError> {
        let middleware = EndpointMiddleware {
            token: token.map(Token::text).unwrap_or_default().to_owned(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: self.namespace.clone(),
        };
        // The semaphore is never closed; without a permit the call would only be one too many.
        let _permit = self.permits.acquire().await;
        let answer = self.exec(&endpoint.with_middleware(&middleware)).await;
        let _ = Zeroizing::new(middleware.token);
        answer.map_err(|error| error.without(token.map(Token::text).as_slice()))
    }

    /// Asks again while the node that answers has not seen yet what others have told us.
    async fn exec(&self, endpoint: &impl Endpoint) -> Result<Body, ApiError> {
        let mut waits = CATCH_UP.iter();
        loop {
            let answer = endpoint.exec(&self.transport).await;
            let error = match answer {
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
        if let Self::Status(refusal) = &mut self {
            refusal.errors.iter_mut().for_each(|said| *said = hidden::without(said, secrets));
        }
        self
    }
}

/// The one place where rustify's errors become ours: some of them hold whole answers.
fn api_error(error: ClientError) -> ApiError {
    match error {
        ClientError::ServerResponseError { code, content } => {
            let body = Zeroizing::new(content.unwrap_or_default().into_bytes());
            ApiError::Status(Refusal { status: code, errors: errors(&body), body })
        }
        ClientError::GenericError { source } => match source.downcast_ref::<TransportError>() {
            Some(error) => ApiError::Transport(error.to_string()),
            None => ApiError::Garbage,
        },
        _ => ApiError::Garbage,
    }
}

fn errors(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<String>,
    }
    serde_json::from_slice(body).map(|Errors { errors }| errors).unwrap_or_default()
}

/// rustify's client over ours, so that its limits hold.
#[derive(Debug)]
struct Transport {
    base: String,
    http: Client,
    /// The newest state of the storage that an answer has told of.
    index: Mutex<Option<HeaderValue>>,
}

impl Transport {
    fn index(&self) -> MutexGuard<'_, Option<HeaderValue>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
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
        if let Some(index) = self.index().clone() {
            request.headers_mut().insert(INDEX, index);
        }
        let request =
            request.try_into().map_err(|source| ClientError::ReqwestBuildError { source })?;
        let answer = exchange(&self.http, request).await;
        let answer = answer.map_err(|error| ClientError::GenericError { source: error.into() })?;
        if let Some(index) = answer.headers().get(INDEX) {
            self.index().replace(index.clone());
        }
        Ok(answer.map(|mut body| std::mem::take(&mut *body)))
    }
}
