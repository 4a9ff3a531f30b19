//! The SDK's requests over the agent's own HTTP client: one TLS stack, one set of limits, and no
//! answer but AWS's own.

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;

use super::shape::Shape;
use crate::http::{Answer, Client, Stranger, TransportError, exchange};

/// What the SDK sends through.
#[derive(Debug, Clone)]
pub(super) struct Connector(Client);

impl Connector {
    pub(super) fn new(client: Client) -> Self {
        Self(client)
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = outgoing(request)?;
            let (shape, url) = (Shape::asked_for(request.headers()), request.url().clone());
            let answer = exchange(&client, request).await.map_err(connector_error)?;
            if shape.is_of(&answer) {
                return incoming(answer);
            }
            let (host, stranger) = (client.host(&url), Stranger::of(&answer));
            Err(connector_error(TransportError::Stranger { host, stranger }))
        })
    }
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = body.bytes().unwrap_or_default().to_vec();
    let request = http::Request::from_parts(parts, body);
    request.try_into().map_err(|error: reqwest::Error| ConnectorError::user(error.into()))
}

fn incoming(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) = answer.into_parts();
    let status = StatusCode::try_from(parts.status.as_u16());
    let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body.as_slice()));
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            response.headers_mut().append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}

fn connector_error(error: TransportError) -> ConnectorError {
    match error {
        TransportError::Timeout(_) => ConnectorError::timeout(error.into()),
        _ => ConnectorError::io(error.into()),
    }
}
