//! The webhook in the hands of its operator: stopped, started, and asked whether it answers.

use anyhow::{Context, Result};
use mayfly_tests::lab::{
    cluster::Cluster,
    condition::{PATIENCE, eventually},
    install::NAMESPACE,
    launch::Lab,
};
use serde_json::Value;

use crate::tenant::Tenant;

/// The webhook's pods.
pub(crate) const PODS: &str = "app.kubernetes.io/name=mayfly-webhook";

/// The webhook's registration for pods, as `kubectl` names it.
pub(crate) const REGISTRATION: [&str; 2] = ["mutatingwebhookconfiguration", "mayfly-webhook"];

/// The one for workloads, whose authors are warned.
pub(crate) const WARNINGS: [&str; 2] = ["mutatingwebhookconfiguration", "mayfly-webhook-warnings"];

/// The webhook, by its name in the manifests.
pub(crate) const DEPLOYMENT: &str = "deployment/mayfly-webhook";

/// Runs `kubectl` in the webhook's own namespace.
pub(crate) async fn kubectl(cluster: &Cluster, arguments: &[&str]) -> Result<String> {
    cluster.kubectl(&[&["--namespace", NAMESPACE], arguments].concat()).await
}

/// An object as somebody would write it, to make it again: without its history, and without the bundles, which the
/// replicas fill in.
pub(crate) async fn manifest(cluster: &Cluster, registration: &[&str]) -> Result<Value> {
    let object = cluster.kubectl(&[&["get", "--output=json"], registration].concat()).await?;
    let mut object: Value = serde_json::from_str(&object).context("read the registration")?;
    let metadata = object["metadata"].as_object_mut().context("an object has metadata")?;
    for field in ["resourceVersion", "uid", "creationTimestamp", "generation", "managedFields"] {
        metadata.remove(field);
    }
    for webhook in object["webhooks"].as_array_mut().context("a registration has webhooks")? {
        webhook["clientConfig"].as_object_mut().context("it has a client")?.remove("caBundle");
    }
    Ok(object)
}

/// Applies a manifest that belongs to no namespace.
pub(crate) async fn apply(lab: &Lab, manifest: &str) -> Result<()> {
    let apply = lab.kubectl_program().args(["apply", "--filename=-"]);
    apply.input(manifest).text().await.map(drop)
}

/// Runs that many replicas, and waits until the last of the others is gone.
pub(crate) async fn scale(cluster: &Cluster, replicas: &str) -> Result<()> {
    kubectl(cluster, &["scale", DEPLOYMENT, "--replicas", replicas]).await?;
    if replicas == "0" {
        let gone = ["wait", "--for=delete", "pods", "--selector", PODS, "--timeout=120s"];
        return kubectl(cluster, &gone).await.map(drop);
    }
    rolled_out(cluster).await
}

/// How many replicas are asked for.
pub(crate) async fn replicas(cluster: &Cluster) -> Result<String> {
    kubectl(cluster, &["get", DEPLOYMENT, "--output=jsonpath={.spec.replicas}"]).await
}

/// Starts every replica anew, one after the other, and waits for the end of it.
pub(crate) async fn restart(cluster: &Cluster) -> Result<()> {
    kubectl(cluster, &["rollout", "restart", DEPLOYMENT]).await?;
    rolled_out(cluster).await
}

/// Waits until all replicas are there and ready.
pub(crate) async fn rolled_out(cluster: &Cluster) -> Result<()> {
    let status = ["rollout", "status", DEPLOYMENT, "--timeout=180s"];
    kubectl(cluster, &status).await.context("wait for the webhook's replicas").map(drop)
}

/// Waits until a pod that asks is taken in again, as it is before and after every test.
pub(crate) async fn answers(tenant: &Tenant<'_>) -> Result<()> {
    let manifest = tenant.vault_pod("rehearsal").to_string();
    let taken = || async { tenant.namespace.rehearse(&manifest).await.map(drop) };
    eventually("the webhook to answer", PATIENCE, taken).await
}
