//! What the agent says about itself: `status.json`, without any value.
//!
//! PURE. This room is the schema. What is written is for others to read: the agent itself believes
//! none of it.

use std::time::SystemTime;

use mayfly_spec::{Spec, spec::Mode};
use serde::{Deserialize, Serialize};

use crate::{fault::Fault, source::Version, timestamp::Timestamp};

/// The state of an agent and of each secret that it reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// All in one word.
    pub state: State,
    /// The number of the present generation; 0 before the first.
    pub generation: u64,
    /// When the present generation was written.
    pub written: Option<Timestamp>,
    /// How the agent is placed in a pod.
    pub mode: Option<Mode>,
    /// A digest of what is to be written, to know one's own files by.
    pub configuration: String,
    /// When this was written.
    pub looked: Timestamp,
    /// When the agent looks next.
    pub next_look: Option<Timestamp>,
    /// Why the last look failed.
    pub error: Option<Fault>,
    /// Every secret.
    pub references: Vec<ReferenceStatus>,
}

/// The state of an agent in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There is no complete generation yet.
    Starting,
    /// The present generation is what the last look found.
    Ready,
    /// The present generation is good, but some of it is not what the last look was to find.
    Stale,
    /// The agent has ended, for the reason in `error`.
    Failed,
}

/// The state of one secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReferenceStatus {
    /// Where it is.
    pub reference: String,
    /// How it stands.
    pub state: Standing,
    /// Which version is on the volume.
    #[serde(flatten)]
    pub version: Version,
    /// When that version was last seen to be the present one.
    pub fetched: Option<Timestamp>,
    /// How long ago that was when this was written.
    pub age_seconds: Option<u64>,
    /// When it is looked at next.
    pub next_look: Option<Timestamp>,
    /// Why it could not be read, or not be written.
    pub error: Option<Fault>,
    /// What the backend said beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How one secret stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing of it is on the volume yet.
    Waiting,
    /// What is on the volume is what the last look found.
    Fresh,
    /// What is on the volume was kept, because the last look failed or something that belongs with
    /// it did.
    Stale,
    /// There is none, and there may be none.
    Absent,
}

impl Standing {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Absent => "absent",
        }
    }
}

impl Status {
    /// Reads what an agent wrote; `None` if it is something else.
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// The file's bytes.
    ///
    /// # Panics
    /// Never: every name in a status is text.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("the names in a status are text");
        json.push(b'\n');
        json
    }

    /// The same, with every age as of `now`.
    #[must_use]
    pub fn aged(mut self, now: SystemTime) -> Self {
        for reference in &mut self.references {
            reference.age_seconds = reference.fetched.map(|fetched| fetched.age(now).as_secs());
        }
        self
    }
}

/// What tells one set of files from another.
///
/// # Panics
/// Never: files are JSON by their type.
pub fn digest(spec: &Spec) -> String {
    let files = serde_json::to_vec(&(&spec.files, &spec.access)).expect("files are JSON");
    crate::digest::hex(&files, 16)
}
