//! The webhook configuration in the API server: read, watched, and applied to.
//!
//! EDGE. Every request names the one object, so that rights by `resourceNames` are enough.

use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    runtime::{
        WatchStreamExt,
        utils::Backoff,
        watcher::{self, watch_object},
    },
};
use serde_json::Value;
use thiserror::Error;

use crate::{
    ownership::MANAGER,
    pace::{Jitter, Pace},
    timing::Timing,
    view::View,
};

/// A webhook configuration, and which of its webhooks are to trust us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The object's name.
    pub name: String,
    /// The end of a path: webhooks that lead there have another configuration, and are none of ours here.
    pub elsewhere: Option<&'static str>,
}

/// Why the API server did not do as it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The configuration is not there.
    #[error("there is no MutatingWebhookConfiguration `{0}`; install it, or name another")]
    Missing(String),
    /// Somebody else wrote since it was read.
    #[error("the MutatingWebhookConfiguration was written by somebody else meanwhile")]
    Overtaken,
    /// A refusal.
    #[error("the API server refuses ({0}): {1}")]
    Refused(u16, String),
    /// No answer in time.
    #[error("the API server did not answer within {0:?}")]
    Late(Duration),
    /// No connection, or no sense in what came.
    #[error("the API server cannot be used")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Clone)]
pub(crate) struct Registration {
    api: Api<MutatingWebhookConfiguration>,
    target: Target,
    answer: Duration,
}

impl Registration {
    pub(crate) fn new(client: Client, target: Target, answer: Duration) -> Self {
        Self { api: Api::all(client), target, answer }
    }

    /// The object's name.
    pub(crate) fn name(&self) -> &str {
        &self.target.name
    }

    /// The error for a configuration that is not there.
    pub(crate) fn missing(&self) -> RegistrationError {
        RegistrationError::Missing(self.target.name.clone())
    }

    /// The configuration as it is now, if it exists.
    pub(crate) async fn read(&self) -> Result<Option<View>, RegistrationError> {
        let answer = in_time(self.answer, self.api.get_opt(self.name())).await;
        let object = answer.map_err(|error| self.error(error))?;
        Ok(object.map(|object| View::of(object, self.target.elsewhere)))
    }

    /// Applies `change` by force: the bundles are ours, whoever wrote them. What is not in it we own no more.
    pub(crate) async fn apply(&self, change: &Value) -> Result<View, RegistrationError> {
        let params = PatchParams::apply(MANAGER).force();
        let patch = Patch::Apply(change);
        let answer = in_time(self.answer, self.api.patch(self.name(), &params, &patch)).await;
        let object = answer.map_err(|error| self.error(error))?;
        Ok(View::of(object, self.target.elsewhere))
    }

    /// What the watch shows, and now and then what a read shows; for ever.
    pub(crate) fn views(
        &self,
        timing: &Timing,
        jitter: Jitter,
    ) -> impl Stream<Item = Result<Option<View>, RegistrationError>> + use<> {
        let pauses = Pauses { pace: timing.outage, jitter, attempt: 0 };
        let watch = watch_object(self.api.clone(), self.name()).backoff(pauses);
        let elsewhere = self.target.elsewhere;
        let watch = watch.map(move |seen| Ok(seen?.map(|object| View::of(object, elsewhere))));
        stream::select(watch, self.reads(timing.reread, jitter))
    }

    fn reads(
        &self,
        interval: Duration,
        jitter: Jitter,
    ) -> impl Stream<Item = Result<Option<View>, RegistrationError>> + use<> {
        stream::unfold(self.clone(), move |registration| async move {
            tokio::time::sleep(interval.mul_f64(0.75 + 0.5 * jitter())).await;
            Some((registration.read().await, registration))
        })
    }

    fn error(&self, error: Failure) -> RegistrationError {
        match error {
            Failure::Late => RegistrationError::Late(self.answer),
            Failure::Api(kube::Error::Api(status)) if status.code == 404 => self.missing(),
            Failure::Api(error) => error.into(),
        }
    }
}

enum Failure {
    Late,
    Api(kube::Error),
}

async fn in_time<T>(
    limit: Duration,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, request).await {
        Ok(answer) => answer.map_err(Failure::Api),
        Err(_) => Err(Failure::Late),
    }
}

impl From<kube::Error> for RegistrationError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 409 => Self::Overtaken,
            kube::Error::Api(status) => Self::Refused(status.code, status.message),
            kube::Error::Service(source) => Self::Unusable(source),
            error => Self::Unusable(Box::new(error)),
        }
    }
}

impl From<watcher::Error> for RegistrationError {
    fn from(error: watcher::Error) -> Self {
        match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => error.into(),
            watcher::Error::WatchError(status) => Self::Refused(status.code, status.message),
            error @ watcher::Error::NoResourceVersion => Self::Unusable(Box::new(error)),
        }
    }
}

/// The waits of a watch that fails.
struct Pauses {
    pace: Pace,
    jitter: Jitter,
    attempt: u32,
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.pace.wait(self.attempt, self.jitter);
        self.attempt = self.attempt.saturating_add(1);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.attempt = 0;
    }
}
