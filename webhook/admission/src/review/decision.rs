//! What can be decided, each with a word for logs and metrics.
//!
//! PURE.

use mayfly_spec::spec::Mode;
use serde_json::Value;
use thiserror::Error;

use super::Forecast;
use crate::{fault::Faults, pod::text};

/// What was decided about one request.
#[derive(Debug)]
pub enum Decision {
    /// The pod gets a patch.
    Injected(Mode),
    /// Everything was there already.
    Unchanged,
    /// The object is not meant for us.
    Untouched(Untouched),
    /// The pod asks for what it cannot get.
    Denied(Faults),
    /// A workload's author was told what will become of its pods.
    Forecast(Forecast),
    /// There is nothing that an answer could be given to.
    Malformed(Malformed),
}

impl Decision {
    /// What was decided, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Injected(_) => "injected",
            Self::Unchanged => "unchanged",
            Self::Untouched(_) => "untouched",
            Self::Denied(_) => "denied",
            Self::Forecast(_) => "forecast",
            Self::Malformed(_) => "malformed",
        }
    }

    /// Why, in a word of a short list.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Injected(_) => "asked",
            Self::Unchanged => "complete",
            Self::Untouched(untouched) => untouched.name(),
            Self::Denied(_) => "faults",
            Self::Forecast(forecast) => forecast.name(),
            Self::Malformed(malformed) => malformed.name(),
        }
    }
}

/// Why an object is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untouched {
    /// Something else than the creation of a pod.
    NotAPodCreation,
    /// Something else than a workload.
    NotAWorkload,
    /// A workload that another one has made.
    Owned,
    /// No annotation of ours.
    NotAnnotated,
    /// `inject: "false"`.
    SwitchedOff,
    /// The API server's mirror of a node's own pod.
    Mirror,
}

impl Untouched {
    const fn name(self) -> &'static str {
        match self {
            Self::NotAPodCreation => "not-a-pod-creation",
            Self::NotAWorkload => "not-a-workload",
            Self::Owned => "owned",
            Self::NotAnnotated => "not-annotated",
            Self::SwitchedOff => "switched-off",
            Self::Mirror => "mirror",
        }
    }

    /// Why `request` is not about a pod that is created.
    pub(super) fn find(request: &Value) -> Option<Self> {
        let kind = request.get("kind").unwrap_or(&Value::Null);
        let is_pod =
            ["", "v1", "Pod"] == ["group", "version", "kind"].map(|field| text(kind, field));
        let is_creation = is_pod
            && text(request, "operation") == "CREATE"
            && text(request, "subResource").is_empty();
        (!is_creation).then_some(Self::NotAPodCreation)
    }
}

/// Why a body is no question to us.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    Json(String),
    /// Another kind of object.
    #[error("the body is not an AdmissionReview")]
    Kind,
    /// A version that is not ours to answer.
    #[error("only admission.k8s.io/v1 is answered; set `admissionReviewVersions: [v1]`")]
    Version,
    /// No question in it.
    #[error("the AdmissionReview has no request with a uid")]
    Request,
    /// The creation of a pod without the pod.
    #[error("the request has no object")]
    Object,
}

impl Malformed {
    const fn name(&self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Kind => "kind",
            Self::Version => "version",
            Self::Request => "request",
            Self::Object => "object",
        }
    }

    /// What is wrong with the envelope of `review`.
    pub(super) fn find(review: &Value) -> Option<Self> {
        if text(review, "kind") != "AdmissionReview" {
            return Some(Self::Kind);
        }
        if text(review, "apiVersion") != "admission.k8s.io/v1" {
            return Some(Self::Version);
        }
        let request = review.get("request").unwrap_or(&Value::Null);
        text(request, "uid").is_empty().then_some(Self::Request)
    }
}
