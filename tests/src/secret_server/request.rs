//! One request as the server saw it.

use std::{borrow::Cow, fmt};

use anyhow::{Context, Result};
use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, Method},
};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::form_urlencoded;

/// No client of ours has more to say.
const LONGEST: usize = 1 << 20;

/// Where the agent of EKS Pod Identity gives credentials.
const POD_IDENTITY: &str = "/v1/credentials";

/// What the path of every request to Vault begins with.
const VAULT: &str = "/v1/";

/// One request.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, percent-decoded.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// What TLS has told.
    pub tls: Tls,
}

/// What TLS tells of whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The name that the server was asked for.
    pub server_name: Option<String>,
    /// The certificate that was shown, as DER.
    pub client_certificate: Option<Vec<u8>>,
}

/// Which of the services a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS Secrets Manager: JSON 1.1.
    SecretsManager,
    /// AWS Systems Manager Parameter Store: JSON 1.1.
    ParameterStore,
    /// AWS KMS: JSON 1.1.
    Kms,
    /// AWS STS: form in, XML out.
    Sts,
    /// The agent of EKS Pod Identity on a node.
    PodIdentity,
    /// Vault's HTTP API.
    Vault,
}

impl Request {
    pub(super) async fn read(request: axum::http::Request<Body>, tls: Tls) -> Result<Self> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, LONGEST).await.context("cannot read the request's body")?;
        let path = percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        Ok(Self { method: head.method, path, query, headers: head.headers, body, tls })
    }

    /// The service that it is for.
    pub fn protocol(&self) -> Protocol {
        if self.path == POD_IDENTITY {
            Protocol::PodIdentity
        } else if self.path.starts_with(VAULT) {
            Protocol::Vault
        } else if let Some(target) = self.header("x-amz-target") {
            match target.split('.').next() {
                Some("AmazonSSM") => Protocol::ParameterStore,
                Some("TrentService") => Protocol::Kms,
                _ => Protocol::SecretsManager,
            }
        } else {
            Protocol::Sts
        }
    }

    /// What it asks for: `GetSecretValue`, `AssumeRoleWithWebIdentity`, `GET /v1/secret/data/app`.
    pub fn operation(&self) -> String {
        match self.protocol() {
            Protocol::SecretsManager | Protocol::ParameterStore | Protocol::Kms => {
                self.target().to_owned()
            }
            Protocol::Sts => self.form("Action").unwrap_or_default(),
            Protocol::PodIdentity | Protocol::Vault => format!("{} {}", self.method, self.path),
        }
    }

    /// The operation in `X-Amz-Target`, without the service's name.
    pub(super) fn target(&self) -> &str {
        let target = self.header("x-amz-target").unwrap_or_default();
        target.rsplit_once('.').map_or(target, |(_, operation)| operation)
    }

    /// The first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path below `/v1/`.
    pub fn vault_path(&self) -> &str {
        self.path.strip_prefix(VAULT).unwrap_or_default()
    }

    /// The Vault token that came with it.
    pub fn vault_token(&self) -> Option<&str> {
        let bearer = || self.header("authorization")?.strip_prefix("Bearer ");
        self.header("x-vault-token").or_else(bearer).filter(|token| !token.is_empty())
    }

    /// The access key, region and service that it was signed for.
    pub fn signed_for(&self) -> Option<[&str; 3]> {
        let (_, credential) = self.header("authorization")?.split_once("Credential=")?;
        let mut parts = credential.split(['/', ',']);
        let (key, _date) = (parts.next()?, parts.next()?);
        Some([key, parts.next()?, parts.next()?])
    }

    /// The AWS region that it is for: the one that it was signed for, else the first part of the
    /// path, where an endpoint may have it.
    pub fn region(&self) -> Option<&str> {
        let of_path = || self.path.split('/').find(|part| part.contains('-'));
        self.signed_for().map(|[_, region, _]| region).or_else(of_path)
    }

    /// A field of a form.
    pub fn form(&self, name: &str) -> Option<String> {
        find(&self.body, name)
    }

    /// A field of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        find(self.query.as_bytes(), name)
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

fn find(form: &[u8], name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(form);
    fields.find(|(field, _)| field == name).map(|(_, value)| Cow::into_owned(value))
}

/// The operation only: the rest holds tokens.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.operation())
    }
}
