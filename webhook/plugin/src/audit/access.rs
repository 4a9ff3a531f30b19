//! Who gets which secret as whom, and how fresh it is: pods that are there, and what their agents answer.
//!
//! PURE. Pods of one owner are told of once, with the worst of what their agents answer.

use std::collections::BTreeMap;

use mayfly_admission::manifest::AdmittedPod;
use serde_json::Value;

use super::survey::told_of;
use crate::{
    agents,
    explain::{File, Workload},
    foreign::line,
    status::{
        answer::Standing,
        pod::{PodStatus, State},
    },
};

/// One file of the pods of one owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Access {
    pub(crate) namespace: String,
    /// The owner, as `ReplicaSet/web-5d8f`.
    pub(crate) object: String,
    pub(crate) service_account: String,
    /// The containers that see the file.
    pub(crate) containers: String,
    /// Where the secret is.
    pub(crate) secret: String,
    /// The file's whole path.
    pub(crate) path: String,
    /// Its permission bits.
    pub(crate) mode: String,
    /// As whom its backend is asked.
    pub(crate) identity: String,
}

/// How fresh a file is in the pods that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// The worst of them.
    pub(crate) known: Known,
    /// The oldest of them.
    pub(crate) age_seconds: Option<u64>,
    /// Why it is no better.
    pub(crate) reason: Option<String>,
    /// In so many pods.
    pub(crate) pods: usize,
}

/// What is known of a file; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// By the agent's own account.
    Told(Standing),
    /// By the pod's object: the agent could not be asked.
    Seen(State),
    /// The agent's account lacks it.
    Untold,
}

impl Known {
    /// The word for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Told(standing) => standing.name(),
            Self::Seen(State::Done) => "as at the start",
            Self::Seen(state) => state.name(),
            Self::Untold => "not told",
        }
    }

    /// The greater, the worse; what is not known is worse than what is known to be good.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Told(Standing::Fresh | Standing::Absent) => 0,
            Self::Seen(State::Done) => 1,
            Self::Untold | Self::Seen(State::NotAllowed | State::NoAnswer | State::NoAgent) => 2,
            Self::Told(Standing::Stale) => 3,
            Self::Told(Standing::Waiting) | Self::Seen(_) => 4,
        }
    }
}

/// All that pods have.
#[derive(Debug, Default)]
pub(crate) struct Accesses {
    /// Each with its freshness.
    pub(crate) rows: BTreeMap<Access, Freshness>,
    /// Pods whose agent's configuration cannot be read.
    pub(crate) unread: Vec<String>,
}

impl Accesses {
    /// What `pods` have, by the answers of their agents; pods without agent have nothing.
    pub(crate) fn of(pods: &[Value], statuses: &[PodStatus]) -> Self {
        let mut all = Self::default();
        for (pod, status) in pods.iter().zip(statuses) {
            if agents::agent(pod).is_some() {
                all.add(pod, status);
            }
        }
        all
    }

    fn add(&mut self, pod: &Value, status: &PodStatus) {
        let metadata = pod.get("metadata").unwrap_or(&Value::Null);
        let (kind, name, namespace) =
            ("Pod".to_owned(), status.pod.clone(), status.namespace.clone());
        let admitted = AdmittedPod { kind, name, namespace, pod: pod.clone() };
        let Ok(workload) = Workload::read(&admitted) else {
            self.unread.push(format!("{}/{}", status.namespace, status.pod));
            return;
        };
        let object = told_of(metadata);
        for file in &workload.files {
            let access = Access::of(&workload, &object, file);
            let freshness = Freshness::of(status, &file.location);
            let known = self.rows.remove(&access);
            let merged =
                known.map_or_else(|| freshness.clone(), |known| known.and(freshness.clone()));
            self.rows.insert(access, merged);
        }
    }
}

impl Access {
    fn of(workload: &Workload, object: &str, file: &File) -> Self {
        let identity = if file.source.is_aws() {
            workload.aws.as_ref().map(ToString::to_string)
        } else {
            workload.vault.as_ref().map(ToString::to_string)
        };
        Self {
            namespace: workload.subject.namespace.clone(),
            object: object.to_owned(),
            service_account: workload.subject.service_account.clone(),
            containers: workload.containers.join(", "),
            secret: line(&file.from),
            path: line(&file.path),
            mode: file.mode.clone(),
            identity: line(&identity.unwrap_or_default()),
        }
    }
}

impl Freshness {
    fn of(status: &PodStatus, location: &str) -> Self {
        let label = line(location);
        // Values sealed with one key have one name.
        let named = status.secrets.iter().filter(|secret| secret.reference == label);
        let secret = named.max_by_key(|secret| Known::Told(secret.state).rank());
        let seen = match status.state {
            State::Ready | State::Stale => Known::Untold,
            state => Known::Seen(state),
        };
        let known = secret.map_or(seen, |secret| Known::Told(secret.state));
        let reason = secret.map_or_else(|| status.error.clone(), |secret| secret.error.clone());
        let age_seconds = secret.and_then(|secret| secret.age_seconds);
        Self { known, age_seconds, reason, pods: 1 }
    }

    /// Both as one.
    fn and(self, other: Self) -> Self {
        let age_seconds = self.age_seconds.max(other.age_seconds);
        let pods = self.pods + other.pods;
        let worst = if other.known.rank() > self.known.rank() { other } else { self };
        Self { age_seconds, pods, ..worst }
    }
}
