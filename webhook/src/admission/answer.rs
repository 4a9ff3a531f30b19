//! The answer's bytes.
//!
//! PURE. The answer's own few fields are written here and not with `kube`'s type, which writes the
//! patch as a list of numbers: three times the size of the base64 that Kubernetes documents.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{Decision, Malformed, Review};

/// Kubernetes' code for what a policy forbids; `kubectl` prints the message behind it.
const FORBIDDEN: u16 = 403;

/// Room for the patch of a usual pod, so that it is not moved while it grows.
const USUAL_LENGTH: usize = 4096;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionReview<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    /// Together with `patch` or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Status {
    code: u16,
    message: String,
}

impl Review {
    /// The `AdmissionReview` to send back, or why there can be none.
    pub fn answer(&self) -> Result<Vec<u8>, Malformed> {
        let status = match &self.decision {
            Decision::Malformed(malformed) => return Err(malformed.clone()),
            Decision::Denied(faults) => {
                Some(Status { code: FORBIDDEN, message: faults.to_string() })
            }
            _ => None,
        };
        let patch = self.encoded_patch()?;
        let response = Response {
            uid: &self.uid,
            allowed: status.is_none(),
            status,
            patch_type: patch.is_some().then_some("JSONPatch"),
            patch,
            warnings: &self.warnings,
        };
        let (api_version, kind) = ("admission.k8s.io/v1", "AdmissionReview");
        write(&AdmissionReview { api_version, kind, response })
    }

    fn encoded_patch(&self) -> Result<Option<String>, Malformed> {
        if self.operations.is_empty() {
            return Ok(None);
        }
        write(&self.operations).map(|json| Some(STANDARD.encode(json)))
    }
}

/// Nothing that we write has a form that JSON does not have.
fn write(value: &impl Serialize) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::with_capacity(USUAL_LENGTH);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Malformed::Json(error.to_string())),
    }
}
