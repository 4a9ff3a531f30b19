//! What befalls an agent: it is killed, starved, its volume is full or in hostile hands, the kubelet goes away. The
//! files stay good, the agent comes back, and the app is not restarted.

mod kubelet;
mod tampering;

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
        suite::Case,
    },
};
use serde_json::json;

use crate::{
    canary,
    host::{agent_is_back, container_status, kill, process, restarts, starve},
    manifest::Manifest,
    tenant::{Tenant, status},
};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        a_killed_sidecar_comes_back,
        a_killed_sidecar_with_a_probe_comes_back,
        a_killed_parallel_agent_comes_back,
        a_starved_agent_comes_back,
        a_full_volume_keeps_the_last_good_files_and_tells,
        a_volume_too_small_for_the_first_files_is_told,
    ];
    [cases, tampering::cases(), kubelet::cases()].concat()
}

/// Reads the file without a pause, and remembers each time that it could not.
const WATCH: &str = r"
    trap exit TERM
    while true; do
        test -s /run/mayfly/value && cat /run/mayfly/value >/dev/null || echo fault >>/tmp/faults
        usleep 20000
    done
";

/// A pod whose app reads all the time.
fn watcher(tenant: &Tenant<'_>) -> Manifest {
    tenant.vault_pod("web").script(WATCH)
}

/// The app has seen the file at all times and was never restarted.
async fn app_is_untouched(pod: &Pod) -> Result<()> {
    let faults = pod.exec(&["sh", "-c", "cat /tmp/faults 2>/dev/null || true"]).await?;
    ensure!(faults.is_empty(), "the app could not read {} times", faults.lines().count());
    let app = container_status(pod, "app").await?;
    ensure!(app["restartCount"] == 0, "the app was restarted: {app}");
    Ok(())
}

/// A new version arrives, so there is an agent at work.
async fn still_refreshes(tenant: &Tenant<'_>, pod: &Pod) -> Result<()> {
    let new = tenant.put("app").await?;
    becomes(pod, &new).await
}

async fn becomes(pod: &Pod, value: &str) -> Result<()> {
    let changed = || async {
        // Opening a planted pipe takes forever.
        let seen = pod.exec(&["timeout", "5", "cat", "/run/mayfly/value"]).await?;
        ensure!(seen == value, "the app sees {} bytes of something else", seen.len());
        Ok(())
    };
    eventually("the file to be good", PATIENCE, changed).await
}

async fn a_killed_sidecar_comes_back(cluster: &Cluster) -> Result<()> {
    killed_comes_back(cluster, &[]).await
}

async fn a_killed_sidecar_with_a_probe_comes_back(cluster: &Cluster) -> Result<()> {
    killed_comes_back(cluster, &[("gate", "probe")]).await
}

async fn a_killed_parallel_agent_comes_back(cluster: &Cluster) -> Result<()> {
    killed_comes_back(cluster, &[("mode", "parallel")]).await
}

async fn killed_comes_back(cluster: &Cluster, annotations: &[(&str, &str)]) -> Result<()> {
    let tenant = Tenant::new(cluster, "killed").await?;
    let value = tenant.put("app").await?;
    let manifest = annotations
        .iter()
        .fold(tenant.vault_pod("web"), |manifest, (key, value)| manifest.annotate(key, value));
    let pod = tenant.run(&manifest.script(WATCH)).await?;
    kill(cluster, &pod, "mayfly-agent").await?;
    ensure!(pod.file("/run/mayfly/value").await? == value, "the file did not stay");
    agent_is_back(&pod).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value, "the file did not stay");
    still_refreshes(&tenant, &pod).await?;
    app_is_untouched(&pod).await
}

/// The kernel ends it in the middle of writing: a new file in memory counts as the writer's.
async fn a_starved_agent_comes_back(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "starved").await?;
    let old = tenant.put("app").await?;
    let pod = tenant.run(&watcher(&tenant)).await?;
    starve(process(cluster, &pod, "mayfly-agent").await?)?;
    let new = put_large(&tenant, 700 << 10).await?;
    let agent = agent_is_back(&pod).await?;
    let reason = &agent["lastState"]["terminated"]["reason"];
    ensure!(reason == "OOMKilled", "the agent ended otherwise: {agent}");
    let seen = pod.file("/run/mayfly/value").await?;
    ensure!(seen == old || seen == new, "the app sees {} bytes of something else", seen.len());
    becomes(&pod, &new).await?;
    app_is_untouched(&pod).await
}

/// Writes a secret of that many bytes.
async fn put_large(tenant: &Tenant<'_>, bytes: usize) -> Result<String> {
    let canary = canary::secret();
    let value = canary.repeat(bytes / canary.len());
    tenant.put_data("app", json!({"value": value})).await?;
    Ok(value)
}

async fn a_full_volume_keeps_the_last_good_files_and_tells(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "full").await?;
    let good = put_large(&tenant, 300 << 10).await?;
    let pod = tenant.run(&watcher(&tenant).annotate("volume-size", "1Mi")).await?;
    put_large(&tenant, 900 << 10).await?;
    let told = || async {
        let status = status(&pod).await?;
        let error = status["error"].to_string();
        ensure!(error.contains("volume-size") && error.contains("room"), "the status is {status}");
        ensure!(status["state"] == "stale", "the state is {}", status["state"]);
        Ok(())
    };
    eventually("the status to tell of the full volume", PATIENCE, told).await?;
    ensure!(pod.file("/run/mayfly/value").await? == good, "the last good file did not stay");
    ensure!(restarts(&pod, "mayfly-agent").await? == 0, "the agent was restarted");
    still_refreshes(&tenant, &pod).await?;
    ensure!(status(&pod).await?["state"] == "ready", "the status does not tell of the recovery");
    app_is_untouched(&pod).await
}

async fn a_volume_too_small_for_the_first_files_is_told(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "too-small").await?;
    put_large(&tenant, 1200 << 10).await?;
    let manifest = tenant.vault_pod("web").annotate("volume-size", "1Mi");
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    let told = || async {
        let described = pod.describe().await?;
        let state = described.split("Last State:").nth(1).unwrap_or_default();
        ensure!(state.contains("Exit Code:    6") && state.contains("volume-size"), "{described}");
        Ok(())
    };
    eventually("`kubectl describe pod` to tell the reason", PATIENCE, told).await?;
    let app = container_status(&pod, "app").await?;
    ensure!(app["state"]["waiting"].is_object(), "the app is {app}");
    Ok(())
}
