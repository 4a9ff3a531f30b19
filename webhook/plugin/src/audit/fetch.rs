//! Objects of a cluster, page by page, as raw JSON.
//!
//! EDGE. Asks with the caller's rights; what they do not allow is an error that says so.

use anyhow::{Context, bail};
use kube::Client;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

use super::readers::Rbac;
use crate::args::Installation;

/// One kind of object, by its place in the API.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource {
    /// `v1`, or group and version.
    version: &'static str,
    name: &'static str,
    kind: &'static str,
}

impl Resource {
    /// The path below which its namespaces and objects are.
    fn api(self) -> String {
        let root = if self.version.contains('/') { "apis" } else { "api" };
        format!("/{root}/{}", self.version)
    }

    /// The object with its own kind, which a list says but once.
    fn complete(self, mut object: Value) -> Value {
        object["apiVersion"] = self.version.into();
        object["kind"] = self.kind.into();
        object
    }
}

pub(crate) const PODS: Resource = Resource { version: "v1", name: "pods", kind: "Pod" };
pub(crate) const NAMESPACES: Resource =
    Resource { version: "v1", name: "namespaces", kind: "Namespace" };
pub(crate) const PROVIDER_CLASSES: Resource = Resource {
    version: "secrets-store.csi.x-k8s.io/v1",
    name: "secretproviderclasses",
    kind: "SecretProviderClass",
};
/// What people write; a `ReplicaSet` is a Deployment's.
pub(crate) const WORKLOADS: &[Resource] = &[
    Resource { version: "apps/v1", name: "deployments", kind: "Deployment" },
    Resource { version: "apps/v1", name: "statefulsets", kind: "StatefulSet" },
    Resource { version: "apps/v1", name: "daemonsets", kind: "DaemonSet" },
    Resource { version: "batch/v1", name: "jobs", kind: "Job" },
    Resource { version: "batch/v1", name: "cronjobs", kind: "CronJob" },
];

/// What other software makes pods of, where there is any.
pub(crate) const OTHERS_WORKLOADS: &[Resource] = &[
    Resource {
        version: "apps.openshift.io/v1",
        name: "deploymentconfigs",
        kind: "DeploymentConfig",
    },
    Resource { version: "argoproj.io/v1alpha1", name: "rollouts", kind: "Rollout" },
    Resource { version: "serving.knative.dev/v1", name: "services", kind: "Service" },
    Resource {
        version: "sparkoperator.k8s.io/v1beta2",
        name: "sparkapplications",
        kind: "SparkApplication",
    },
];

/// Objects in one answer: some megabytes at most.
const PAGE: usize = 250;

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metadata: ListMetadata,
    #[serde(default)]
    items: Vec<Value>,
}

#[derive(Default, Deserialize)]
struct ListMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

/// A cluster, or some namespaces of it.
pub(crate) struct Cluster {
    client: Client,
    namespaces: Vec<String>,
}

impl Cluster {
    pub(crate) fn new(client: Client, namespaces: &[String]) -> Self {
        Self { client, namespaces: namespaces.to_vec() }
    }

    /// Hands every object of a kind to `look`.
    pub(crate) async fn each(
        &self,
        resource: Resource,
        mut look: impl FnMut(Value),
    ) -> anyhow::Result<()> {
        let (api, name) = (resource.api(), resource.name);
        let mut look = |object| look(resource.complete(object));
        if self.namespaces.is_empty() {
            return self.pages(&format!("{api}/{name}"), &mut look).await;
        }
        for namespace in &self.namespaces {
            self.pages(&format!("{api}/namespaces/{namespace}/{name}"), &mut look).await?;
        }
        Ok(())
    }

    /// Hands every object of a kind that is of no namespace to `look`.
    pub(crate) async fn every(
        &self,
        resource: Resource,
        mut look: impl FnMut(Value),
    ) -> anyhow::Result<()> {
        self.pages(&format!("{}/{}", resource.api(), resource.name), &mut look).await
    }

    /// Like [`Self::each`], for a kind that the cluster may not have.
    pub(crate) async fn each_if_any(
        &self,
        resource: Resource,
        look: impl FnMut(Value),
    ) -> anyhow::Result<()> {
        match self.each(resource, look).await {
            Err(error) if is_not_found(&error) => Ok(()),
            outcome => outcome,
        }
    }

    /// Everything that says who may do what.
    pub(crate) async fn rbac(&self) -> anyhow::Result<Rbac> {
        let (mut roles, mut bindings) = (Vec::new(), Vec::new());
        let (mut cluster_roles, mut cluster_bindings) = (Vec::new(), Vec::new());
        self.each(rbac("roles", "Role"), |role| roles.push(role)).await?;
        self.each(rbac("rolebindings", "RoleBinding"), |binding| bindings.push(binding)).await?;
        self.every(rbac("clusterroles", "ClusterRole"), |role| cluster_roles.push(role)).await?;
        let resource = rbac("clusterrolebindings", "ClusterRoleBinding");
        self.every(resource, |binding| cluster_bindings.push(binding)).await?;
        Ok(Rbac {
            roles: typed(roles)?,
            bindings: typed(bindings)?,
            cluster_roles: typed(cluster_roles)?,
            cluster_bindings: typed(cluster_bindings)?,
        })
    }

    /// The text of the configuration that the installation's Deployment mounts.
    pub(crate) async fn configuration(&self, of: &Installation) -> anyhow::Result<String> {
        let Installation { namespace, name } = of;
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
        let deployment: Value = self.get(&path).await?;
        let volumes = deployment.pointer("/spec/template/spec/volumes").and_then(Value::as_array);
        let map = volumes.into_iter().flatten().find_map(|volume| {
            let is_config = volume.get("name").is_some_and(|name| name == "config");
            is_config.then_some(volume.pointer("/configMap/name")?.as_str()?)
        });
        let Some(map) = map else {
            bail!("its Deployment has no volume `config` from a ConfigMap");
        };
        let map: Value =
            self.get(&format!("/api/v1/namespaces/{namespace}/configmaps/{map}")).await?;
        let text = map.pointer("/data/config.yaml").and_then(Value::as_str);
        Ok(text.context("its ConfigMap has no `config.yaml`")?.to_owned())
    }

    async fn pages(&self, path: &str, look: &mut impl FnMut(Value)) -> anyhow::Result<()> {
        let mut next = String::new();
        loop {
            let target = format!("{path}?");
            let start = target.len();
            let mut query = url::form_urlencoded::Serializer::for_suffix(target, start);
            query.append_pair("limit", &PAGE.to_string());
            if !next.is_empty() {
                query.append_pair("continue", &next);
            }
            let page: List = self.get(&query.finish()).await?;
            page.items.into_iter().for_each(&mut *look);
            next = page.metadata.next;
            if next.is_empty() {
                return Ok(());
            }
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let request = http::Request::get(path).body(Vec::new()).context("making a request")?;
        let what = path.split('?').next().unwrap_or(path);
        let answer = self.client.request(request).await.map_err(Refusal::of);
        answer.with_context(|| format!("asking for {what}"))
    }
}

fn rbac(name: &'static str, kind: &'static str) -> Resource {
    Resource { version: "rbac.authorization.k8s.io/v1", name, kind }
}

/// Raw objects as the types of their kind.
fn typed<T: DeserializeOwned>(objects: Vec<Value>) -> anyhow::Result<Vec<T>> {
    let typed = objects.into_iter().map(serde_json::from_value);
    typed.collect::<Result<_, _>>().context("reading roles and their bindings")
}

fn is_not_found(error: &anyhow::Error) -> bool {
    has_code(error, 404)
}

/// Whether the caller may not ask for this, which says nothing of whether it is there.
pub(crate) fn is_forbidden(error: &anyhow::Error) -> bool {
    has_code(error, 403)
}

fn has_code(error: &anyhow::Error, code: u16) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.code == code)
}

/// Why the API server gave no answer, in its own words: `kube`'s repeat the whole status, and themselves.
#[derive(Debug, Error)]
#[error("{message}")]
struct Refusal {
    code: u16,
    message: String,
}

impl Refusal {
    fn of(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self { code: status.code, message: status.message },
            other => Self { code: 0, message: other.to_string() },
        }
    }
}
