//! Who may read the secrets of a namespace's pods, by Kubernetes' own rights.
//!
//! PURE. Whoever may run something in a pod, or as a pod, has its files or its identity: that is Kubernetes' rule,
//! which Mayfly cannot change and does not hide. Kubernetes' own bindings are counted and not listed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use serde::Serialize;

use crate::table::table;

/// The label of the bindings that the API server itself makes.
const BOOTSTRAP: (&str, &str) = ("kubernetes.io/bootstrapping", "rbac-defaults");

/// All of a cluster's roles and bindings.
#[derive(Debug, Default)]
pub(crate) struct Rbac {
    pub(crate) roles: Vec<Role>,
    pub(crate) bindings: Vec<RoleBinding>,
    pub(crate) cluster_roles: Vec<ClusterRole>,
    pub(crate) cluster_bindings: Vec<ClusterRoleBinding>,
}

/// Who may read what.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Readers {
    /// Each subject with its ways, by namespace; `*` is all of them.
    pub(crate) readers: Vec<Reader>,
    /// Bindings of Kubernetes itself with such a way, which are not listed.
    pub(crate) of_kubernetes: usize,
}

/// One subject in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reader {
    /// The namespace whose pods it can read; `*` is every one.
    pub(crate) namespace: String,
    /// Who, as `Group/developers` or `ServiceAccount/ci/deployer`.
    pub(crate) subject: String,
    /// How.
    pub(crate) ways: Vec<Way>,
    /// By which bindings, as `RoleBinding/web/edit`.
    pub(crate) bindings: Vec<String>,
}

/// How somebody comes to a pod's secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// Run a program in a container (`pods/exec`, or the kubelet's own door, `nodes/proxy`).
    Exec,
    /// Talk to the program that runs in a container.
    Attach,
    /// Add an ephemeral container.
    EphemeralContainer,
    /// Create a pod, or a workload that does, under the same service account.
    CreatePod,
    /// Change a pod that runs: another image for one of its containers, the agent's too.
    ChangePod,
    /// Ask for a token of the service account.
    Token,
    /// Read Secrets, of which one may hold such a token: whoever may create one too has it made.
    TokenSecret,
}

/// A way, and the rights that open it: API group, resource, verbs.
const WAYS: [(Way, &str, &[&str], &[&str]); 12] = [
    // `get` opens it too, through a WebSocket.
    (Way::Exec, "", &["pods/exec"], &["create", "get"]),
    (Way::Exec, "", &["nodes/proxy"], &["create", "get"]),
    (Way::Attach, "", &["pods/attach"], &["create", "get"]),
    (Way::EphemeralContainer, "", &["pods/ephemeralcontainers"], &["patch", "update"]),
    (Way::CreatePod, "", &["pods", "replicationcontrollers"], &["create"]),
    (Way::CreatePod, "", &["replicationcontrollers"], &["patch", "update"]),
    (Way::CreatePod, "apps", APPS, &["create", "patch", "update"]),
    (Way::CreatePod, "batch", &["jobs"], &["create"]),
    (Way::CreatePod, "batch", &["cronjobs"], &["create", "patch", "update"]),
    (Way::ChangePod, "", &["pods"], &["patch", "update"]),
    (Way::Token, "", &["serviceaccounts/token"], &["create"]),
    (Way::TokenSecret, "", &["secrets"], &["get", "list", "watch"]),
];

const APPS: &[&str] = &["daemonsets", "deployments", "replicasets", "statefulsets"];

impl Way {
    /// The word for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::EphemeralContainer => "ephemeral container",
            Self::CreatePod => "create pods",
            Self::ChangePod => "change pods",
            Self::Token => "token",
            Self::TokenSecret => "token Secrets",
        }
    }
}

/// Who may read the secrets of the pods in `tenants`.
pub(crate) fn readers(rbac: &Rbac, tenants: &BTreeSet<String>) -> Readers {
    let mut found = Found::default();
    for binding in &rbac.cluster_bindings {
        let name = binding.metadata.name.clone().unwrap_or_default();
        let source = Source {
            namespace: "*",
            binding: format!("ClusterRoleBinding/{name}"),
            is_kubernetes: is_bootstrap(binding.metadata.labels.as_ref()),
        };
        let ways = ways(rules(rbac, &binding.role_ref, ""), true);
        found.add(&source, binding.subjects.as_deref(), &ways);
    }
    for binding in &rbac.bindings {
        let namespace = binding.metadata.namespace.clone().unwrap_or_default();
        if !tenants.contains(&namespace) {
            continue;
        }
        let name = binding.metadata.name.clone().unwrap_or_default();
        let source = Source {
            namespace: &namespace,
            binding: format!("RoleBinding/{namespace}/{name}"),
            is_kubernetes: is_bootstrap(binding.metadata.labels.as_ref()),
        };
        let ways = ways(rules(rbac, &binding.role_ref, &namespace), false);
        found.add(&source, binding.subjects.as_deref(), &ways);
    }
    found.finish()
}

struct Source<'a> {
    namespace: &'a str,
    binding: String,
    is_kubernetes: bool,
}

#[derive(Default)]
struct Found {
    by_subject: BTreeMap<(String, String), (BTreeSet<Way>, BTreeSet<String>)>,
    of_kubernetes: usize,
}

impl Found {
    fn add(&mut self, source: &Source<'_>, subjects: Option<&[Subject]>, ways: &BTreeSet<Way>) {
        let subjects = subjects.unwrap_or_default();
        if ways.is_empty() || subjects.is_empty() {
            return;
        }
        if source.is_kubernetes {
            self.of_kubernetes += 1;
            return;
        }
        for subject in subjects {
            let key = (source.namespace.to_owned(), name(subject, source.namespace));
            let (all, bindings) = self.by_subject.entry(key).or_default();
            all.extend(ways);
            bindings.insert(source.binding.clone());
        }
    }

    fn finish(self) -> Readers {
        let reader = |((namespace, subject), (ways, bindings)): (_, (BTreeSet<_>, BTreeSet<_>))| {
            let (ways, bindings) = (ways.into_iter().collect(), bindings.into_iter().collect());
            Reader { namespace, subject, ways, bindings }
        };
        let readers = self.by_subject.into_iter().map(reader).collect();
        Readers { readers, of_kubernetes: self.of_kubernetes }
    }
}

/// A service account without a namespace is of the binding's.
fn name(subject: &Subject, namespace: &str) -> String {
    let Subject { kind, name, namespace: own, .. } = subject;
    match kind.as_str() {
        "ServiceAccount" => format!("{kind}/{}/{name}", own.as_deref().unwrap_or(namespace)),
        _ => format!("{kind}/{name}"),
    }
}

fn is_bootstrap(labels: Option<&BTreeMap<String, String>>) -> bool {
    let (key, value) = BOOTSTRAP;
    labels.is_some_and(|labels| labels.get(key).is_some_and(|is| is == value))
}

/// The rules behind a binding's reference.
fn rules<'a>(rbac: &'a Rbac, reference: &RoleRef, namespace: &str) -> &'a [PolicyRule] {
    let is_named = |name: &Option<String>| name.as_deref() == Some(&reference.name);
    let rules = if reference.kind == "ClusterRole" {
        let mut roles = rbac.cluster_roles.iter();
        roles.find(|role| is_named(&role.metadata.name)).and_then(|role| role.rules.as_deref())
    } else {
        let is_here = |role: &&Role| role.metadata.namespace.as_deref() == Some(namespace);
        let mut roles = rbac.roles.iter().filter(is_here);
        roles.find(|role| is_named(&role.metadata.name)).and_then(|role| role.rules.as_deref())
    };
    rules.unwrap_or_default()
}

/// The ways that `rules` open; nodes are the whole cluster's, so only a binding of the whole cluster opens theirs.
fn ways(rules: &[PolicyRule], everywhere: bool) -> BTreeSet<Way> {
    let open = |(_, group, resources, verbs): &&(Way, &str, &[&str], &[&str])| {
        let reachable = everywhere || !resources.contains(&"nodes/proxy");
        reachable && rules.iter().any(|rule| allows(rule, group, resources, verbs))
    };
    WAYS.iter().filter(open).map(|(way, ..)| *way).collect()
}

fn allows(rule: &PolicyRule, group: &str, resources: &[&str], verbs: &[&str]) -> bool {
    let has = |list: Option<&Vec<String>>, wanted: &str| {
        list.is_some_and(|list| list.iter().any(|item| item == "*" || item == wanted))
    };
    has(rule.api_groups.as_ref(), group)
        && verbs.iter().any(|verb| has(Some(&rule.verbs), verb))
        && resources.iter().any(|resource| names(rule.resources.as_deref(), resource))
}

/// Whether a rule's resources name `resource`: as it is, `*`, or `*/exec`.
fn names(resources: Option<&[String]>, resource: &str) -> bool {
    let any_parent = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
    resources.unwrap_or_default().iter().any(|named| {
        named == "*" || named == resource || any_parent.as_ref().is_some_and(|any| any == named)
    })
}

impl fmt::Display for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Who may come to the secrets of pods, by RBAC")?;
        let rows = self.readers.iter().map(|reader| {
            let ways: Vec<&str> = reader.ways.iter().map(|way| way.name()).collect();
            let Reader { namespace, subject, bindings, .. } = reader;
            [namespace.clone(), subject.clone(), ways.join(", "), bindings.join(", ")]
        });
        let head = ["NAMESPACE", "SUBJECT", "WAYS", "BY"].map(str::to_owned);
        table(f, std::iter::once(head).chain(rows).collect())?;
        writeln!(f, "besides {} bindings of Kubernetes itself", self.of_kubernetes)
    }
}
