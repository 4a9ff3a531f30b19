//! What is wrong with pods that are there, and with workloads whose pods will come.
//!
//! PURE. Pods of one owner are told of once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use mayfly_admission::{
    annotations,
    config::Config,
    pod::{Pod, text},
    policy::Directory,
    review::{Outcome, inject, owner},
    workload::Templates,
};

use crate::agents::{agent, has_ended};

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// What is wrong.
    pub(crate) kind: FindingKind,
    /// In which namespace.
    pub(crate) namespace: String,
    /// The workload or pod, as `ReplicaSet/web-5d8f`.
    pub(crate) object: String,
    /// What exactly, and what to do.
    pub(crate) detail: String,
    /// In how many pods; nought when it is about pods to come.
    pub(crate) pods: usize,
}

/// The kinds of findings, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FindingKind {
    /// A pod that asks for secrets and has no agent.
    NoAgent,
    /// A workload whose pods the webhook would refuse.
    WouldBeRefused,
    /// Annotations where they have no effect.
    Misplaced,
    /// An annotation of ours that there is not.
    UnknownAnnotation,
    /// A pod with another agent than the webhook would give it today.
    OtherAgent,
}

impl FindingKind {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::NoAgent,
        Self::WouldBeRefused,
        Self::Misplaced,
        Self::UnknownAnnotation,
        Self::OtherAgent,
    ];

    /// The word for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoAgent => "no agent",
            Self::WouldBeRefused => "would be refused",
            Self::Misplaced => "misplaced",
            Self::UnknownAnnotation => "unknown annotation",
            Self::OtherAgent => "other agent",
        }
    }
}

/// How many pods were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pods {
    /// All that have not ended.
    pub(crate) live: usize,
    /// Those of them that ask for secrets.
    pub(crate) asking: usize,
    /// Those of them that have an agent.
    pub(crate) with_agent: usize,
}

type Key = (FindingKind, String, String, String);

/// A survey in the making.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    config: &'a Config,
    directory: Directory,
    pods: Pods,
    findings: BTreeMap<Key, usize>,
    tenants: BTreeSet<String>,
}

impl<'a> Survey<'a> {
    /// A survey of a cluster with these namespaces, which only some configurations need to know.
    pub(crate) fn new(config: &'a Config, directory: Directory) -> Self {
        let (findings, tenants) = (BTreeMap::new(), BTreeSet::new());
        Self { config, directory, pods: Pods::default(), findings, tenants }
    }

    /// Looks at a pod that is there.
    pub(crate) fn pod(&mut self, pod: &Value) {
        if has_ended(pod) {
            return;
        }
        self.pods.live += 1;
        let agent = agent(pod);
        self.pods.with_agent += usize::from(agent.is_some());
        let metadata = pod.get("metadata").unwrap_or(&Value::Null);
        let object = told_of(metadata);
        let asks = asks(pod);
        self.pods.asking += usize::from(asks);
        if asks || agent.is_some() {
            self.tenants.insert(text(metadata, "namespace").to_owned());
        }
        let mut find = |kind, detail| self.add(kind, metadata, &object, detail, 1);
        if asks && agent.is_none() {
            find(FindingKind::NoAgent, no_agent().to_owned());
        }
        unknown(pod).for_each(|detail| find(FindingKind::UnknownAnnotation, detail));
        self.compare(agent, metadata, &object);
    }

    fn compare(&mut self, agent: Option<&Value>, metadata: &Value, object: &str) {
        let wanted = self.config.agent_image.as_str();
        let image = agent.map_or(wanted, |agent| text(agent, "image"));
        if image != wanted && !wanted.is_empty() {
            let detail = format!("runs `{image}`; a new pod would run `{wanted}`");
            self.add(FindingKind::OtherAgent, metadata, object, detail, 1);
        }
    }

    /// Looks at a workload that makes pods.
    pub(crate) fn workload(&mut self, mut workload: Value) {
        let templates = Templates::of(&workload);
        let metadata = workload.get("metadata").cloned().unwrap_or_default();
        if !owner(&metadata).is_empty() {
            return;
        }
        let object = format!("{}/{}", text(&workload, "kind"), text(&metadata, "name"));
        for misplaced in templates.warnings() {
            self.add(FindingKind::Misplaced, &metadata, &object, without_name(&misplaced), 0);
        }
        let name = text(&metadata, "namespace");
        let namespace = self.directory.find(name, self.config.needs_namespaces());
        let mut refused = Vec::new();
        for template in &templates.list {
            let pod = workload.pointer_mut(&template.pointer).map(Value::take).unwrap_or_default();
            let outcome = inject(self.config, namespace.as_deref(), pod, template.ends).outcome;
            if let Outcome::Denied(faults) = outcome {
                refused.extend(faults.iter().map(ToString::to_string));
            }
        }
        for fault in refused {
            self.add(FindingKind::WouldBeRefused, &metadata, &object, fault, 0);
        }
    }

    fn add(
        &mut self,
        kind: FindingKind,
        metadata: &Value,
        object: &str,
        detail: String,
        pods: usize,
    ) {
        let namespace = text(metadata, "namespace").to_owned();
        *self.findings.entry((kind, namespace, object.to_owned(), detail)).or_default() += pods;
    }

    pub(crate) fn pods(&self) -> Pods {
        self.pods
    }

    /// The namespaces with pods that ask for secrets, or have them.
    pub(crate) fn tenants(&self) -> &BTreeSet<String> {
        &self.tenants
    }

    pub(crate) fn finish(self) -> Vec<Finding> {
        let finding = |((kind, namespace, object, detail), pods)| Finding {
            kind,
            namespace,
            object,
            detail,
            pods,
        };
        self.findings.into_iter().map(finding).collect()
    }
}

const fn no_agent() -> &'static str {
    "asks for secrets (mayfly.dev/inject: \"true\") and has no agent: it was created where or when the webhook did not \
     see it; create it anew, in a namespace that the webhook attends to"
}

/// Of whom a pod is told: of its owner, if it has one, because all pods of an owner are alike.
pub(crate) fn told_of(metadata: &Value) -> String {
    match owner(metadata) {
        owner if owner.is_empty() => format!("Pod/{}", text(metadata, "name")),
        owner => owner,
    }
}

fn asks(pod: &Value) -> bool {
    let annotations = Pod::annotations(pod).into_iter().flatten();
    let mut switches = annotations.filter(|(key, _)| annotations::is_switch(key));
    switches.any(|(_, value)| value.as_str().map(str::trim) == Some("true"))
}

fn unknown(pod: &Value) -> impl Iterator<Item = String> {
    let keys = Pod::annotations(pod).into_iter().flat_map(|annotations| annotations.keys());
    keys.filter_map(|key| Some(format!("`{key}`: {}", annotations::unknown(key)?)))
}

/// The finding's own kind says whose it is.
fn without_name(warning: &str) -> String {
    warning.strip_prefix("mayfly: ").unwrap_or(warning).to_owned()
}
