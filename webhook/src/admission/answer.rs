//! The answer's bytes.
//!
//! PURE. The answer's own few fields are written here and not with `kube`'s type, which writes the
//! patch as a list of numbers: three times the size of the base64 that Kubernetes documents.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{Decision, Malformed, Review};

/// Kubernetes' code for what a policy forbids; `kubectl` prints the message behind it.
const FORBIDDEN: u16 = 403;

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
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    patch: Option<EncodedPatch>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Status {
    code: u16,
    message: String,
}

/// The two fields that come together or not at all.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EncodedPatch {
    patch_type: &'static str,
    patch: String,
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
        let response = Response {
            uid: &self.uid,
            allowed: status.is_none(),
            status,
            patch: self.encoded_patch()?,
            warnings: &self.warnings,
        };
        let review = AdmissionReview {
            api_version: "admission.k8s.io/v1",
            kind: "AdmissionReview",
            response,
        };
        serde_json::to_vec(&review).map_err(|error| unwritable(&error))
    }

    fn encoded_patch(&self) -> Result<Option<EncodedPatch>, Malformed> {
        let Some(patch) = &self.patch else {
            return Ok(None);
        };
        let json = serde_json::to_vec(patch).map_err(|error| unwritable(&error))?;
        Ok(Some(EncodedPatch { patch_type: "JSONPatch", patch: STANDARD.encode(json) }))
    }
}

/// Nothing that we write has a form that JSON does not have.
fn unwritable(error: &serde_json::Error) -> Malformed {
    Malformed::Json(error.to_string())
}
