//! Who owns the files, and who may read them.
//!
//! PURE.

use mayfly_spec::{file::FileMode, spec::Access};

use crate::{
    config::NOBODY,
    pod::{Pod, Position},
};

/// The agent's user, and the modes of what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ownership {
    /// `None` is the cluster's to choose.
    pub(super) user: Option<u32>,
    pub(super) access: Access,
}

impl Ownership {
    /// As the user that all chosen containers share, for that user alone; else for the pod's
    /// `fsGroup`; else for everybody who sees the volume, which is the pod. `usual` is who the agent is then.
    pub(super) fn of(pod: &Pod<'_>, chosen: &[Position], usual: Option<u32>) -> Self {
        if let Some(user) = shared_user(pod, chosen) {
            let access = Access { mode: FileMode::OWNER, group: None };
            return Self { user: Some(user), access };
        }
        // What the pod says for all of its containers would be the agent's.
        let is_root = pod.security("runAsUser").and_then(number) == Some(0);
        let user = if is_root { usual.or(Some(NOBODY)) } else { usual };
        let group = pod.security("fsGroup").and_then(number);
        let mode = if group.is_some() { FileMode::GROUP } else { FileMode::EVERYBODY };
        let access = Access { mode, group };
        Self { user, access }
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
