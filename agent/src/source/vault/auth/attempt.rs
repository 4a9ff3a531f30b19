//! One login: what is shown where, by whom, and what is said when it is refused.

use rustify::{
    endpoint::Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
    errors::ClientError,
};
use serde_json::{Map, Value};

use super::{Login, Method, hidden};
use crate::{
    secret::Secret,
    source::{
        SourceError,
        vault::{
            api::{Api, ApiError},
            error,
        },
    },
};

/// A login at `auth/<mount>/login`.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    pub(super) method: Method,
    pub(super) mount: &'a str,
    /// How whoever logs in is called.
    pub(super) who: String,
    /// What is no secret.
    pub(super) open: Vec<(&'static str, &'a str)>,
    /// What is one.
    pub(super) shown: Vec<(&'static str, &'a Secret)>,
}

impl Attempt<'_> {
    pub(super) async fn make(&self, api: &Api) -> Result<Login, SourceError> {
        self.try_with(api, &[]).await.map_err(|error| self.fault(&error, api))
    }

    /// The answer, or Vault's refusal without what was shown and without `inside`, which is in it.
    pub(super) async fn try_with(&self, api: &Api, inside: &[&str]) -> Result<Login, ApiError> {
        let body = api.call(Request(self), None).await;
        let body = body.map_err(|error| self.tactful(error, inside))?;
        Login::parse(&body)
    }

    /// What a refusal means.
    pub(super) fn fault(&self, error: &ApiError, api: &Api) -> SourceError {
        let Self { method, mount, who, .. } = self;
        error::login(error, &error::LoginTo { method: *method, mount, who, address: api.address() })
    }

    fn tactful(&self, error: ApiError, inside: &[&str]) -> ApiError {
        let ApiError::Status(mut refusal) = error else { return error };
        let shown = self.shown.iter().filter_map(|(_, secret)| secret.expose_text());
        let secrets: Vec<&str> = shown.chain(inside.iter().copied()).collect();
        for words in &mut refusal.errors {
            *words = hidden::without(words, &secrets);
        }
        ApiError::Status(refusal)
    }
}

/// The request itself.
#[derive(Debug)]
struct Request<'a>(&'a Attempt<'a>);

impl Endpoint for Request<'_> {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        format!("auth/{}/login", self.0.mount.trim_matches('/'))
    }

    fn method(&self) -> RequestMethod {
        RequestMethod::POST
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        let shown = self.0.shown.iter();
        let shown = shown.map(|(name, secret)| (*name, secret.expose_text().unwrap_or_default()));
        let fields: Map<String, Value> = shown
            .chain(self.0.open.iter().copied())
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        Ok(Some(Value::Object(fields).to_string().into_bytes()))
    }
}
