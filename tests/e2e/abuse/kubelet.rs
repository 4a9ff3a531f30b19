//! The kubelet goes away and comes back: in the middle of a start, and later.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        line::Line,
        pod::Pod,
        progress::show,
        suite::Case,
    },
};
use serde_json::json;

use super::{app_is_untouched, becomes, still_refreshes, watcher};
use crate::{
    host::{agent_has_started, container_status, restarts},
    tenant::Tenant,
};

pub(super) fn cases() -> Vec<Case> {
    let cases = cases![
        a_kubelet_restarted_while_the_probe_holds_does_not_start_the_app,
        a_kubelet_restarted_while_the_hook_holds,
        a_kubelet_restarted_later_restarts_nothing,
    ];
    cases.into_iter().map(Case::alone).collect()
}

/// A pod that cannot have its secrets, for as long as its line to Vault is cut.
async fn held(tenant: &Tenant<'_>, line: &Line, gate: &str) -> Result<Pod> {
    line.cut().await;
    let manifest = tenant
        .vault_pod("web")
        .annotate("vault-address", &format!("https://{}", line.address()))
        .annotate("start-deadline", "60s")
        .annotate("gate", gate);
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    agent_has_started(&pod).await?;
    Ok(pod)
}

async fn a_kubelet_restarted_while_the_probe_holds_does_not_start_the_app(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "held-probe").await?;
    let value = tenant.put("app").await?;
    let line = Line::to_vault().await?;
    let pod = held(&tenant, &line, "probe").await?;
    cluster.restart_kubelet().await?;
    // The new kubelet knows the pod as soon as it ends the agent for its deadline.
    let given_up = || async {
        let agent = container_status(&pod, "mayfly-agent").await?;
        ensure!(agent["restartCount"].as_u64() >= Some(1), "the agent is {agent}");
        Ok(())
    };
    eventually("the agent's deadline", PATIENCE, given_up).await?;
    let app = container_status(&pod, "app").await?;
    let never = app["state"]["waiting"].is_object() && app["lastState"] == json!({});
    ensure!(never && app["started"] == false, "the app is {app}");
    line.mend().await?;
    pod.running().await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    Ok(())
}

/// Not a promise but a fact that the README tells: Kubernetes takes a running sidecar without a probe for started.
async fn a_kubelet_restarted_while_the_hook_holds(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "held-hook").await?;
    let value = tenant.put("app").await?;
    let line = Line::to_vault().await?;
    let pod = held(&tenant, &line, "hook").await?;
    cluster.restart_kubelet().await?;
    let settled = || async {
        let agent = container_status(&pod, "mayfly-agent").await?;
        let app = container_status(&pod, "app").await?;
        let gave_up = agent["restartCount"].as_u64() >= Some(1);
        ensure!(gave_up || app["state"]["running"].is_object(), "agent {agent}, app {app}");
        Ok(app["state"]["running"].is_object())
    };
    let started = eventually("the new kubelet to decide", PATIENCE, settled).await?;
    let fate = if started { "starts without its secrets" } else { "is still held back" };
    show(format_args!("a kubelet restarted while the hook holds: the app {fate}"));
    line.mend().await?;
    becomes(&pod, &value).await
}

async fn a_kubelet_restarted_later_restarts_nothing(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "kubelet").await?;
    tenant.put("app").await?;
    let pod = tenant.run(&watcher(&tenant)).await?;
    cluster.restart_kubelet().await?;
    still_refreshes(&tenant, &pod).await?;
    ensure!(restarts(&pod, "mayfly-agent").await? == 0, "the agent was restarted");
    app_is_untouched(&pod).await
}
