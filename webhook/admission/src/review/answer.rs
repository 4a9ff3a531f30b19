//! The answer's bytes.
//!
//! PURE. The answer's own few fields are written here and not with a client's type, which writes the
//! patch as a list of numbers: three times the size of the base64 that Kubernetes documents.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{Decision, Malformed, Review, account::AuditAnnotations};

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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<AuditAnnotations<'a>>,
    /// Together with `patch` or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    /// The last field: its end is the answer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'static str>,
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
        let has_patch = !self.operations.is_empty();
        let response = Response {
            uid: &self.uid,
            allowed: status.is_none(),
            status,
            warnings: &self.warnings,
            audit_annotations: AuditAnnotations::of(self),
            patch_type: has_patch.then_some("JSONPatch"),
            patch: has_patch.then_some(""),
        };
        let (api_version, kind) = ("admission.k8s.io/v1", "AdmissionReview");
        let mut answer = write(&AdmissionReview { api_version, kind, response })?;
        if has_patch {
            fill_in(&mut answer, &write(&self.operations)?);
        }
        Ok(answer)
    }
}

/// Writes the patch between the last quotes of `answer`, where base64 needs no escaping and no
/// second look: a third of an answer's time.
fn fill_in(answer: &mut Vec<u8>, patch: &[u8]) {
    const END: &[u8] = b"\"}}";
    answer.truncate(answer.len() - END.len());
    let start = answer.len();
    answer.resize(start + patch.len().div_ceil(3) * 4, 0);
    // The room is exactly what the encoding takes.
    let _length = STANDARD.encode_slice(patch, &mut answer[start..]);
    answer.extend_from_slice(END);
}

/// Nothing that we write has a form that JSON does not have.
fn write(value: &impl Serialize) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::with_capacity(USUAL_LENGTH);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Malformed::Json(error.to_string())),
    }
}
