//! What the agent says about itself: `status.json`, without any value.
//!
//! This room is the schema, and the pure part of reading it; writing it is the volume's work.

use std::time::SystemTime;

use mayfly_spec::{FilePath, Spec, spec::Mode};
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
    /// The present generation is good, but the last look failed.
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
    /// Which version is on the volume.
    #[serde(flatten)]
    pub version: Version,
    /// When that version was last seen to be the present one.
    pub fetched: Option<Timestamp>,
    /// How long ago that was when this was written.
    pub age_seconds: Option<u64>,
    /// When it is looked at next.
    pub next_look: Option<Timestamp>,
    /// Why it could not be read.
    pub error: Option<Fault>,
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

    /// Whether this tells of a complete generation of the files that `spec` asks for.
    pub fn is_complete(&self, spec: &Spec) -> bool {
        self.generation > 0 && self.configuration == digest(spec)
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

/// The paths that a complete generation must have. Of a directory it is enough that it is there.
pub fn expected(spec: &Spec) -> impl Iterator<Item = &FilePath> {
    let required = spec.files.entries().iter().filter(|entry| !entry.optional);
    required.map(|entry| &entry.path)
}
