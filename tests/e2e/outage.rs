//! A backend is down: at the start nothing starts and the reason is told; later nothing is lost.

use std::time::Duration;

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        line::Line,
        pod::Pod,
        suite::Case,
    },
};

use crate::{
    canary,
    host::agent_has_started,
    tenant::{Tenant, status},
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        vault_down_at_the_start_is_told_and_mended_with_a_hook,
        vault_down_at_the_start_is_told_and_mended_with_a_probe,
        aws_down_at_the_start_is_told_and_mended,
        vault_down_later_leaves_the_files_and_recovers,
        vault_down_holds_back_nothing_of_aws,
        a_waiting_pod_is_deleted_within_its_deadline,
    ]
}

/// `CrashLoopBackOff` waits up to five minutes between two starts.
const BACK_OFF: Duration = Duration::from_mins(6);

async fn vault_down_at_the_start_is_told_and_mended_with_a_hook(cluster: &Cluster) -> Result<()> {
    vault_down_at_the_start(cluster, "hook").await
}

async fn vault_down_at_the_start_is_told_and_mended_with_a_probe(cluster: &Cluster) -> Result<()> {
    vault_down_at_the_start(cluster, "probe").await
}

async fn vault_down_at_the_start(cluster: &Cluster, gate: &str) -> Result<()> {
    let tenant = Tenant::new(cluster, "outage").await?;
    let value = tenant.put("app").await?;
    let line = Line::to_vault().await?;
    line.cut().await;
    let address = format!("https://{}", line.address());
    let manifest = tenant
        .vault_pod("web")
        .annotate("vault-address", &address)
        .annotate("start-deadline", "5s")
        .annotate("gate", gate);
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    is_told(&pod, &[&line.address().to_string()]).await?;
    has_not_started(&pod).await?;
    line.mend().await?;
    pod.reaches("condition=Ready", BACK_OFF).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    Ok(())
}

async fn aws_down_at_the_start_is_told_and_mended(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "outage-aws").await?;
    let value = tenant.create("db").await?;
    cluster.aws().take_down(&tenant.role).await?;
    let manifest = tenant
        .asking("web")
        .annotate("start-deadline", "5s")
        .annotate("aws-role-arn", &tenant.role)
        .annotate("file.value", &format!("aws-sm:{}", tenant.id("db")));
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    is_told(&pod, &["aws-sm:"]).await?;
    has_not_started(&pod).await?;
    cluster.aws().bring_back(&tenant.role).await?;
    pod.reaches("condition=Ready", BACK_OFF).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    Ok(())
}

/// Waits until `kubectl describe pod` has all of `words` in the agent's last state.
async fn is_told(pod: &Pod, words: &[&str]) -> Result<()> {
    let told = || async {
        let described = pod.describe().await?;
        let state = described.split("Last State:").nth(1).unwrap_or_default();
        ensure!(words.iter().all(|word| state.contains(word)), "{described}");
        Ok(())
    };
    eventually("`kubectl describe pod` to tell the reason", PATIENCE, told).await
}

async fn has_not_started(pod: &Pod) -> Result<()> {
    let json = pod.json().await?;
    let app = &json["status"]["containerStatuses"][0];
    ensure!(
        app["state"]["waiting"].is_object() && app["lastState"] == serde_json::json!({}),
        "{app}"
    );
    Ok(())
}

async fn vault_down_later_leaves_the_files_and_recovers(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "outage-later").await?;
    let old = tenant.put("app").await?;
    let line = Line::to_vault().await?;
    let address = format!("https://{}", line.address());
    let pod = tenant.run(&tenant.vault_pod("web").annotate("vault-address", &address)).await?;
    line.cut().await;
    let new = tenant.put("app").await?;
    let seen = || async {
        let text = status(&pod).await?.to_string();
        ensure!(text.contains(&line.address().to_string()), "the status is {text}");
        Ok(())
    };
    eventually("the status to tell of the outage", PATIENCE, seen).await?;
    ensure!(pod.file("/run/mayfly/value").await? == old, "the files did not stay");
    line.mend().await?;
    let recovered = || async {
        ensure!(pod.file("/run/mayfly/value").await? == new, "the old value is still there");
        Ok(())
    };
    eventually("the recovery", PATIENCE, recovered).await?;
    let statuses = pod.json().await?["status"].to_string();
    ensure!(!statuses.contains("\"restartCount\":1"), "a container was restarted: {statuses}");
    Ok(())
}

async fn vault_down_holds_back_nothing_of_aws(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "outage-apart").await?;
    let ours = tenant.put("app").await?;
    tenant.create("db").await?;
    let line = Line::to_vault().await?;
    let manifest = tenant
        .vault_pod("web")
        .annotate("vault-address", &format!("https://{}", line.address()))
        .annotate("aws-role-arn", &tenant.role)
        .annotate("file.db", &format!("aws-sm:{}", tenant.id("db")));
    let pod = tenant.run(&manifest).await?;
    line.cut().await;
    for _ in 0..3 {
        let theirs = canary::secret();
        cluster.aws().put_secret(&tenant.id("db"), &theirs).await?;
        let changed = || async {
            ensure!(pod.file("/run/mayfly/db").await? == theirs, "the old value is still there");
            Ok(())
        };
        eventually("the new version", PATIENCE, changed).await?;
    }
    ensure!(pod.file("/run/mayfly/value").await? == ours, "the file did not stay");
    line.mend().await
}

/// A kubelet holds a deletion back while a hook runs, so the deadline is the longest that anybody waits.
async fn a_waiting_pod_is_deleted_within_its_deadline(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "waiting").await?;
    let line = Line::to_vault().await?;
    line.cut().await;
    let manifest = tenant
        .vault_pod("web")
        .annotate("vault-address", &format!("https://{}", line.address()))
        .annotate("start-deadline", "20s");
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    agent_has_started(&pod).await?;
    // The deadline, the pod's grace of 5 s, and what a busy machine adds.
    tokio::time::timeout(Duration::from_secs(20 + 5 + 20), pod.delete()).await?
}
