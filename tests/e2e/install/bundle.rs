//! Whose the caBundle is: the replicas', and no tool that applies the manifests again touches it; and what an older
//! release's replicas have left in their name keeps nobody from taking a webhook out.

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
use serde_json::{Value, json};

use crate::{
    operator::{self, PODS, REGISTRATION, WARNINGS},
    tenant::Tenant,
};

pub(super) fn cases() -> Vec<Case> {
    let cases = cases![
        no_way_to_apply_touches_the_bundle,
        a_bundle_that_was_replaced_away_comes_back,
        a_server_side_applier_takes_out_the_webhook_of_an_older_release,
    ];
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
    for file in ["mutating-webhook.yaml", "workload-warnings.yaml"] {
        let file = folders::checkout().join("manifests/kubernetes").join(file);
        cluster.kubectl(&["replace", "--filename", &file.display().to_string()]).await?;
    }
    eventually("the bundle to be back", PATIENCE, || of_both(cluster)).await?;
    operator::answers(&tenant).await?;
    is_the_replicas_own(cluster).await?;
    let after = repairs(cluster).await?;
    ensure!(after > before, "there were {after} repairs, as before");
    Ok(())
}

/// One object with both webhooks, as it was in the release before, whose replicas own both bundles: nobody can take
/// the second one out then, until today's replicas have given it up; then it really goes, and pods are reviewed all
/// the while.
async fn a_server_side_applier_takes_out_the_webhook_of_an_older_release(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "dropped").await?;
    tenant.put("app").await?;
    let today = operator::manifest(cluster, &REGISTRATION).await?;
    let mut before = today.clone();
    let mut warnings = operator::manifest(cluster, &WARNINGS).await?;
    before["webhooks"].as_array_mut().context("webhooks")?.push(warnings["webhooks"][0].take());
    let bundle = json!(of_both(cluster).await?);
    let part = |name: &str| json!({"name": name, "clientConfig": {"caBundle": bundle}});
    let theirs = json!({
        "apiVersion": today["apiVersion"], "kind": today["kind"],
        "metadata": {"name": today["metadata"]["name"]}, "webhooks": ENTRIES.map(part),
    });
    let outcome = async {
        apply_as(cluster, "gitops", &before).await?;
        apply_as(cluster, "mayfly-webhook", &theirs).await?;
        let told = apply_as(cluster, "gitops", &today).await.err().context("nobody owned it")?;
        ensure!(format!("{told:#}").contains("sideEffects"), "it is refused with {told:#}");
        let dropped = || apply_as(cluster, "gitops", &today);
        eventually("the replicas to give the webhook up", PATIENCE, dropped).await?;
        let webhooks = registration(cluster, &REGISTRATION, &[]).await?["webhooks"].take();
        let webhooks = webhooks.as_array().context("there are no webhooks")?;
        ensure!(webhooks.len() == 1, "there is still a part of the other: {webhooks:?}");
        tenant.namespace.rehearse(&tenant.vault_pod("rehearsal").to_string()).await.map(drop)
    };
    let outcome = outcome.await;
    // With its owners of before.
    cluster.kubectl(&[&["delete"], REGISTRATION.as_slice()].concat()).await?;
    let restored = operator::apply(cluster.lab(), &today.to_string()).await;
    outcome.and(restored)?;
    operator::answers(&tenant).await
}

/// Server-side apply by the manager of that name.
async fn apply_as(cluster: &Cluster, manager: &str, object: &Value) -> Result<()> {
    let manager = format!("--field-manager={manager}");
    let options = ["apply", "--server-side", "--force-conflicts", "--filename=-", &manager];
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("annotations");
    }
    let apply = cluster.lab().kubectl_program().args(options).input(object.to_string());
    apply.text().await.map(drop)
}

/// The registrations' webhooks.
const ENTRIES: [&str; 2] = ["inject.mayfly.dev", "workloads.mayfly.dev"];

/// The bundle, which both registrations have.
pub(super) async fn of_both(cluster: &Cluster) -> Result<String> {
    let mut bundles = BTreeSet::new();
    for object in [REGISTRATION, WARNINGS] {
        let registration = registration(cluster, &object, &[]).await?;
        let entries = registration["webhooks"].as_array().context("there are no webhooks")?;
        let bundle = |entry: &Value| entry["clientConfig"]["caBundle"].as_str().map(str::to_owned);
        bundles.extend(entries.iter().map(bundle));
    }
    match (bundles.len(), bundles.pop_first().flatten()) {
        (1, Some(bundle)) => Ok(bundle),
        (count, _) => anyhow::bail!("there is not one bundle, but {count}"),
    }
}

/// Nobody but the replicas owns the field, in either registration.
pub(super) async fn is_the_replicas_own(cluster: &Cluster) -> Result<()> {
    for (object, name) in [REGISTRATION, WARNINGS].into_iter().zip(ENTRIES) {
        let registration = registration(cluster, &object, &["--show-managed-fields"]).await?;
        let managers = &registration["metadata"]["managedFields"];
        let managers = managers.as_array().context("no managers")?;
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

async fn registration(cluster: &Cluster, object: &[&str], options: &[&str]) -> Result<Value> {
    let get = [&["get", "--output=json"], object, options].concat();
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
