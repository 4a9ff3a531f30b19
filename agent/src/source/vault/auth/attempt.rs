//! One login: what is shown where, by whom, and what is said when it is refused.

use tokio::time::Instant;
use tracing::warn;

use super::{method::Method, refusal};
use crate::{
    secret::Secret,
    source::{
        contract::SourceError,
        vault::{
            api::Api,
            request::Request,
            token::{Login, NoToken},
            verdict::{self, ApiError},
        },
    },
};

/// Why a login gave no token.
#[derive(Debug)]
pub(super) enum LoginError {
    /// The call failed.
    Api(ApiError),
    /// It did not, and there is no token in the answer.
    NoToken(NoToken),
}

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
    pub(super) async fn make(&self, api: &Api) -> Result<(Login, Instant), SourceError> {
        self.try_with(api, &[]).await.map_err(|error| self.fault(&error, api))
    }

    /// The answer, or Vault's refusal without what was shown and without `inside`, which is in it.
    /// One that is under way at this mount is waited for: its answer is as good.
    pub(super) async fn try_with(
        &self,
        api: &Api,
        inside: &[&str],
    ) -> Result<(Login, Instant), LoginError> {
        let shown = self.shown.iter();
        let shown = shown.map(|(name, secret)| (*name, secret.expose_text().unwrap_or_default()));
        let fields = shown.chain(self.open.iter().copied()).collect();
        let what = format!("login {}", self.mount);
        let landed = api.make(&what, Request::log_in(self.mount, &fields), None).await;
        let body = landed.result.map_err(|error| LoginError::Api(self.tactful(error, inside)))?;
        for said in verdict::warnings(&body) {
            warn!(said, mount = self.mount, "Vault warns about the login");
        }
        let login = Login::parse(&body).map_err(LoginError::NoToken)?;
        Ok((login, landed.asked))
    }

    /// What a refusal means.
    pub(super) fn fault(&self, error: &LoginError, api: &Api) -> SourceError {
        let Self { method, mount, who, .. } = self;
        let to = refusal::LoginTo { method: *method, mount, who, address: api.address() };
        match error {
            LoginError::Api(error) => refusal::login(error, &to),
            LoginError::NoToken(why) => refusal::no_token(*why, &to),
        }
    }

    fn tactful(&self, error: ApiError, inside: &[&str]) -> ApiError {
        let shown = self.shown.iter().filter_map(|(_, secret)| secret.expose_text());
        error.without(&shown.chain(inside.iter().copied()).collect::<Vec<_>>())
    }
}
