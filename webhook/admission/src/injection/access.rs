//! Who owns the files, and who may read them.
//!
//! PURE.

use mayfly_spec::{file::FileMode, spec::Access};

use crate::pod::{Pod, Position};

/// The agent's user and group where the pod leaves the choice.
pub(super) const NOBODY: u32 = 65532;

/// The agent's user, and the modes of what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ownership {
    pub(super) user: u32,
    pub(super) access: Access,
}

impl Ownership {
    /// As the user that all chosen containers share, for that user alone; else for the pod's
    /// `fsGroup`; else for everybody who sees the volume, which is the pod.
    pub(super) fn of(pod: &Pod<'_>, chosen: &[Position]) -> Self {
        if let Some(user) = shared_user(pod, chosen) {
            let access = Access { mode: FileMode::OWNER, group: None };
            return Self { user, access };
        }
        let group = pod.security("fsGroup").and_then(number);
        let mode = if group.is_some() { FileMode::GROUP } else { FileMode::EVERYBODY };
        let access = Access { mode, group };
        Self { user: NOBODY, access }
    }
}

/// The user, not root, as whom every chosen container is known to run.
fn shared_user(pod: &Pod<'_>, chosen: &[Position]) -> Option<u32> {
    let mut users = chosen.iter().map(|position| {
        let own = pod.container(*position).get("securityContext");
        let own = own.and_then(|context| context.get("runAsUser"));
        own.filter(|user| !user.is_null()).or_else(|| pod.security("runAsUser")).and_then(number)
    });
    let first = users.next()??;
    (first != 0 && users.all(|user| user == Some(first))).then_some(first)
}

fn number(value: &serde_json::Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}
