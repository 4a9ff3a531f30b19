//! The answer's bytes.
//!
//! PURE.

use kube::core::{Status, admission::AdmissionResponse};

use super::{Decision, Malformed, Review};

impl Review {
    /// The AdmissionReview to send back, or why there can be none.
    pub fn answer(&self) -> Result<Vec<u8>, Malformed> {
        if let Decision::Malformed(malformed) = &self.decision {
            return Err(malformed.clone());
        }
        let mut response = AdmissionResponse::invalid("");
        response.allowed = true;
        response.result = Status::default();
        response.uid.clone_from(&self.uid);
        if let Decision::Denied(faults) = &self.decision {
            response = response.deny(faults);
        }
        if !self.warnings.is_empty() {
            response.warnings = Some(self.warnings.clone());
        }
        if let Some(patch) = &self.patch {
            response = response.with_patch(patch.clone()).map_err(|error| Malformed::Json(error.to_string()))?;
        }
        serde_json::to_vec(&response.into_review()).map_err(|error| Malformed::Json(error.to_string()))
    }
}
