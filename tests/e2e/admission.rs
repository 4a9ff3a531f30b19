//! Namespaces with rules of their own: Pod Security, `LimitRange`, `ResourceQuota`, and the class
//! Guaranteed.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        suite::Case,
    },
};
use serde_json::{Value, json};

use crate::{manifest::Manifest, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        restricted_admits_a_sidecar_with_a_hook,
        restricted_admits_a_sidecar_with_a_probe,
        restricted_admits_an_init_container,
        restricted_admits_parallel,
        a_limit_range_admits_the_agent_within_it,
        a_limit_range_with_a_high_minimum_is_met_by_annotations,
        a_limit_range_with_a_low_maximum_is_met_by_an_annotation,
        a_quota_admits_the_agent_within_it,
        a_quota_on_the_cpu_limit_is_met_by_an_annotation,
        a_quota_that_is_used_up_is_met_by_an_annotation,
        a_guaranteed_pod_stays_guaranteed_in_every_mode,
    ]
}

async fn restricted_admits_a_sidecar_with_a_hook(cluster: &Cluster) -> Result<()> {
    restricted_admits(cluster, &[("mode", "sidecar")]).await
}

async fn restricted_admits_a_sidecar_with_a_probe(cluster: &Cluster) -> Result<()> {
    restricted_admits(cluster, &[("mode", "sidecar"), ("gate", "probe")]).await
}

async fn restricted_admits_an_init_container(cluster: &Cluster) -> Result<()> {
    restricted_admits(cluster, &[("mode", "init")]).await
}

async fn restricted_admits_parallel(cluster: &Cluster) -> Result<()> {
    restricted_admits(cluster, &[("mode", "parallel")]).await
}

async fn restricted_admits(cluster: &Cluster, annotations: &[(&str, &str)]) -> Result<()> {
    let tenant = Tenant::new(cluster, "restricted").await?;
    let value = tenant.put("app").await?;
    tenant.namespace.label(&["pod-security.kubernetes.io/enforce=restricted"]).await?;
    let lax = tenant.namespace.refusal(&tenant.vault_pod("lax").to_string()).await?;
    ensure!(!lax.contains("mayfly-agent"), "Pod Security blames the agent: {lax}");
    let manifest = tenant.vault_pod("web").app(
        "securityContext",
        json!({
            "runAsNonRoot": true, "runAsUser": 1000, "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        }),
    );
    let manifest = annotated(manifest, annotations);
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    Ok(())
}

fn annotated(manifest: Manifest, annotations: &[(&str, &str)]) -> Manifest {
    annotations.iter().fold(manifest, |manifest, (key, value)| manifest.annotate(key, value))
}

async fn a_limit_range_admits_the_agent_within_it(cluster: &Cluster) -> Result<()> {
    let limits = json!({
        "min": {"cpu": "1m", "memory": "4Mi"}, "max": {"cpu": "1", "memory": "256Mi"},
        "default": {"cpu": "200m", "memory": "64Mi"}, "defaultRequest": {"cpu": "10m", "memory": "16Mi"},
    });
    let tenant = with_limits(cluster, limits).await?;
    tenant.run(&tenant.vault_pod("web")).await.map(drop)
}

async fn a_limit_range_with_a_high_minimum_is_met_by_annotations(cluster: &Cluster) -> Result<()> {
    let tenant = with_limits(cluster, json!({"min": {"cpu": "10m", "memory": "32Mi"}})).await?;
    let manifest = tenant.vault_pod("web");
    is_refused(&tenant, &manifest, &["minimum cpu usage per Container is 10m"]).await?;
    is_refused(&tenant, &manifest, &["minimum memory usage per Container is 32Mi"]).await?;
    let remedy = [("cpu-request", "10m"), ("memory-request", "32Mi")];
    tenant.run(&annotated(manifest, &remedy)).await.map(drop)
}

async fn a_limit_range_with_a_low_maximum_is_met_by_an_annotation(cluster: &Cluster) -> Result<()> {
    let tenant = with_limits(cluster, json!({"max": {"memory": "48Mi"}})).await?;
    let manifest = tenant.vault_pod("web");
    is_refused(&tenant, &manifest, &["maximum memory usage per Container is 48Mi"]).await?;
    tenant.run(&annotated(manifest, &[("memory-limit", "48Mi")])).await.map(drop)
}

/// A tenant whose containers are held to limits.
async fn with_limits(cluster: &Cluster, mut limits: Value) -> Result<Tenant<'_>> {
    let tenant = Tenant::new(cluster, "limits").await?;
    tenant.put("app").await?;
    limits["type"] = json!("Container");
    let limits = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits"},
        "spec": {"limits": [limits]}});
    tenant.namespace.apply_all(&limits.to_string()).await?;
    Ok(tenant)
}

async fn a_quota_admits_the_agent_within_it(cluster: &Cluster) -> Result<()> {
    let quota =
        json!({"requests.cpu": "100m", "requests.memory": "128Mi", "limits.memory": "256Mi"});
    let tenant = with_quota(cluster, quota).await?;
    tenant.run(&burstable(&tenant)).await.map(drop)
}

async fn a_quota_on_the_cpu_limit_is_met_by_an_annotation(cluster: &Cluster) -> Result<()> {
    let tenant = with_quota(cluster, json!({"limits.cpu": "1"})).await?;
    let manifest = burstable(&tenant);
    is_refused(&tenant, &manifest, &["must specify limits.cpu for: mayfly-agent"]).await?;
    tenant.run(&manifest.annotate("cpu-limit", "100m")).await.map(drop)
}

async fn a_quota_that_is_used_up_is_met_by_an_annotation(cluster: &Cluster) -> Result<()> {
    let tenant = with_quota(cluster, json!({"limits.memory": "100Mi"})).await?;
    let manifest = burstable(&tenant);
    is_refused(&tenant, &manifest, &["exceeded quota", "limits.memory=128Mi"]).await?;
    tenant.run(&manifest.annotate("memory-limit", "32Mi")).await.map(drop)
}

/// A tenant with a budget, which the API server knows of.
async fn with_quota(cluster: &Cluster, hard: Value) -> Result<Tenant<'_>> {
    let tenant = Tenant::new(cluster, "quota").await?;
    tenant.put("app").await?;
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "budget"},
        "spec": {"hard": hard}});
    tenant.namespace.apply_all(&quota.to_string()).await?;
    // Until a quota has a status, the API server refuses everybody.
    let known = ["wait", "--for=jsonpath={.status.hard}", "resourcequota/budget", "--timeout=120s"];
    tenant.namespace.kubectl(&known).await?;
    Ok(tenant)
}

fn burstable(tenant: &Tenant<'_>) -> Manifest {
    let resources = json!({"requests": {"cpu": "20m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}});
    tenant.vault_pod("web").app("resources", resources)
}

/// The API server hears of new rules a moment after they are made.
async fn is_refused(tenant: &Tenant<'_>, manifest: &Manifest, words: &[&str]) -> Result<()> {
    let refused = || async {
        let answer = tenant.namespace.rehearse(&manifest.to_string()).await;
        let told = answer.err().context("the pod is taken in")?.to_string();
        ensure!(words.iter().all(|word| told.contains(word)), "no {words:?} in {told:?}");
        Ok(())
    };
    eventually("the refusal", PATIENCE, refused).await
}

async fn a_guaranteed_pod_stays_guaranteed_in_every_mode(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "guaranteed").await?;
    tenant.put("app").await?;
    let amounts = json!({"cpu": "50m", "memory": "32Mi"});
    for mode in ["sidecar", "init", "parallel"] {
        let manifest = tenant.vault_pod(mode).annotate("mode", mode);
        let manifest = manifest.app("resources", json!({"requests": amounts, "limits": amounts}));
        let class = tenant.run(&manifest).await?.json().await?["status"]["qosClass"].clone();
        ensure!(class == "Guaranteed", "with {mode} the class is {class}");
    }
    Ok(())
}
