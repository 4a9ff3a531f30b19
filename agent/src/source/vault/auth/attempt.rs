//! One login: what is shown where, by whom, and what is said when it is refused.

use super::{Login, Method};
use crate::{
    secret::Secret,
    source::{
        SourceError,
        vault::{
            api::{Api, ApiError},
            error,
            request::Request,
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
        let shown = self.shown.iter();
        let shown = shown.map(|(name, secret)| (*name, secret.expose_text().unwrap_or_default()));
        let fields = shown.chain(self.open.iter().copied()).collect();
        let body = api.call(Request::log_in(self.mount, &fields), None).await;
        let body = body.map_err(|error| self.tactful(error, inside))?;
        Login::parse(&body)
    }

    /// What a refusal means.
    pub(super) fn fault(&self, error: &ApiError, api: &Api) -> SourceError {
        let Self { method, mount, who, .. } = self;
        error::login(error, &error::LoginTo { method: *method, mount, who, address: api.address() })
    }

    fn tactful(&self, error: ApiError, inside: &[&str]) -> ApiError {
        let shown = self.shown.iter().filter_map(|(_, secret)| secret.expose_text());
        error.without(&shown.chain(inside.iter().copied()).collect::<Vec<_>>())
    }
}
