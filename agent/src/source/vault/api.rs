//! Vault's HTTP API: vaultrs' middleware and rustify's endpoints over the agent's own client.

use async_trait::async_trait;
use rustify::{endpoint::Endpoint, errors::ClientError};
use serde::Deserialize;
use tokio::sync::Semaphore;
use url::Url;
use vaultrs::api::EndpointMiddleware;
use zeroize::Zeroizing;

use super::{Body, session::Token};
use crate::http::{TransportError, exchange};

/// Calls at once, and so connections. A read takes Vault less time than a TLS handshake takes both
/// sides, and hundreds of agents may come at once after an outage.
const CONCURRENT: usize = 2;

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
    pub(super) fn new(address: &Url, http: reqwest::Client, namespace: Option<String>) -> Self {
        let base = address.to_string();
        let permits = Semaphore::new(CONCURRENT);
        Self { transport: Transport { base, http }, namespace, permits }
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
        let answer = endpoint.with_middleware(&middleware).exec(&self.transport).await;
        let _ = Zeroizing::new(middleware.token);
        answer.map(|answer| Zeroizing::new(answer.response.into_body())).map_err(|error| {
            match api_error(error) {
                ApiError::Status(refusal) => ApiError::Status(refusal.without(token)),
                other => other,
            }
        })
    }
}

impl Refusal {
    /// A server may quote what it was sent.
    fn without(mut self, token: Option<&Token>) -> Self {
        if let Some(token) = token {
            self.errors.iter_mut().for_each(|error| *error = error.replace(token.text(), "…"));
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
    http: reqwest::Client,
}

#[async_trait]
impl rustify::client::Client for Transport {
    fn base(&self) -> &str {
        &self.base
    }

    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, ClientError> {
        let request =
            request.try_into().map_err(|source| ClientError::ReqwestBuildError { source })?;
        let answer = exchange(&self.http, request).await;
        let answer = answer.map_err(|error| ClientError::GenericError { source: error.into() })?;
        Ok(answer.map(|mut body| std::mem::take(&mut *body)))
    }
}
