//! Whose the caBundle is: the replicas', and no tool that applies the manifests again touches it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        folders, install,
        suite::Case,
    },
};
use serde_json::Value;

use crate::{
    operator::{self, PODS, REGISTRATION},
    tenant::Tenant,
};

pub(super) fn cases() -> Vec<Case> {
    let cases =
        cases![no_way_to_apply_touches_the_bundle, a_bundle_that_was_replaced_away_comes_back,];
    cases.into_iter().map(Case::alone).collect()
}

/// Ways to apply the same manifests, as people and other tools do; the last is a change back.
const WAYS: [&[&str]; 4] = [
    &["apply"],
    &["apply", "--server-side", "--force-conflicts"],
    &["apply", "--server-side", "--field-manager=gitops", "--force-conflicts"],
    &["apply"],
];

async fn no_way_to_apply_touches_the_bundle(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "bundle").await?;
    tenant.put("app").await?;
    operator::answers(&tenant).await?;
    let overlay = install::overlay(cluster.lab()).display().to_string();
    let (bundle, repairs) = (of_both(cluster).await?, repairs(cluster).await?);
    for way in WAYS {
        cluster.kubectl(&[way, &["--kustomize", &overlay]].concat()).await?;
        ensure!(of_both(cluster).await? == bundle, "`kubectl {way:?}` has changed the bundle");
        is_the_replicas_own(cluster).await?;
        tenant.namespace.rehearse(&tenant.vault_pod("rehearsal").to_string()).await?;
    }
    let after = self::repairs(cluster).await?;
    ensure!(after == repairs, "{repairs} repairs have become {after}");
    Ok(())
}

/// `kubectl replace` writes the whole object, and so empties the field.
async fn a_bundle_that_was_replaced_away_comes_back(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "replaced").await?;
    tenant.put("app").await?;
    let before = repairs(cluster).await?;
    let file = folders::checkout().join("manifests/kubernetes/mutating-webhook.yaml");
    cluster.kubectl(&["replace", "--filename", &file.display().to_string()]).await?;
    eventually("the bundle to be back", PATIENCE, || of_both(cluster)).await?;
    operator::answers(&tenant).await?;
    is_the_replicas_own(cluster).await?;
    let after = repairs(cluster).await?;
    ensure!(after > before, "there were {after} repairs, as before");
    Ok(())
}

/// The bundle, which both entries have.
pub(super) async fn of_both(cluster: &Cluster) -> Result<String> {
    let registration = registration(cluster, &[]).await?;
    let entries = registration["webhooks"].as_array().context("there are no webhooks")?;
    let bundles = entries.iter().map(|entry| entry["clientConfig"]["caBundle"].as_str());
    let bundles: BTreeSet<_> = bundles.collect();
    let [Some(bundle)] = bundles.iter().copied().collect::<Vec<_>>()[..] else {
        anyhow::bail!("the entries do not have one bundle: {registration}");
    };
    Ok(bundle.to_owned())
}

/// Nobody but the replicas owns the field, of either entry.
pub(super) async fn is_the_replicas_own(cluster: &Cluster) -> Result<()> {
    let registration = registration(cluster, &["--show-managed-fields"]).await?;
    let managers = registration["metadata"]["managedFields"].as_array().context("no managers")?;
    for name in ["inject.mayfly.dev", "workloads.mayfly.dev"] {
        let entry = format!("k:{{\"name\":\"{name}\"}}");
        let owns = |manager: &&Value| {
            let fields = &manager["fieldsV1"]["f:webhooks"][&entry]["f:clientConfig"];
            !fields["f:caBundle"].is_null()
        };
        let owners = managers.iter().filter(owns).map(|manager| &manager["manager"]);
        let owners: Vec<&Value> = owners.collect();
        ensure!(owners == ["mayfly-webhook"], "the bundle of {name} belongs to {owners:?}");
    }
    Ok(())
}

async fn registration(cluster: &Cluster, options: &[&str]) -> Result<Value> {
    let get = [&["get", "--output=json"], REGISTRATION.as_slice(), options].concat();
    serde_json::from_str(&cluster.kubectl(&get).await?).context("read the registration")
}

/// How often the replicas have repaired the bundle, all together.
async fn repairs(cluster: &Cluster) -> Result<u64> {
    let running = "--field-selector=status.phase=Running";
    let pods = ["get", "pods", "--selector", PODS, running, "--output=name"];
    let mut repairs = 0;
    for pod in operator::kubectl(cluster, &pods).await?.lines() {
        let pod = pod.trim_start_matches("pod/");
        let path =
            format!("/api/v1/namespaces/{}/pods/{pod}:8080/proxy/metrics", install::NAMESPACE);
        let metrics = cluster.kubectl(&["get", "--raw", &path]).await?;
        let repaired = metrics
            .lines()
            .find_map(|line| line.strip_prefix("mayfly_webhook_bundle_repairs_total "));
        repairs += repaired.context("the metric is not there")?.parse::<u64>()?;
    }
    Ok(repairs)
}
