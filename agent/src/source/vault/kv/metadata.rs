//! What a KV store of version 2 tells of a version.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
pub(super) struct Versioned<'a> {
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
    pub(super) metadata: Metadata,
}

/// What is known about a version of a secret.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) version: u64,
    created_time: String,
    pub(super) deletion_time: String,
    pub(super) destroyed: bool,
}

impl Metadata {
    /// From the answer that refuses a version which is no more.
    pub(super) fn of_refusal(body: &[u8]) -> Option<Self> {
        let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
        let versioned: Versioned<'_> = serde_json::from_str(answer.data.get()).ok()?;
        Some(versioned.metadata)
    }

    pub(super) fn created(&self) -> Option<SystemTime> {
        humantime::parse_rfc3339(&self.created_time).ok()
    }
}
