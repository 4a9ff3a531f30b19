//! A network that waits for the pod's IP, while the kubelet publishes none until the gate opens: neither waits for long.
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        gatekeeper::Gatekeeper,
        line::Line,
        progress::show,
        suite::Case,
    },
};
use serde_json::json;

use crate::{host::container_status, manifest::SLEEP, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        a_hook_and_a_network_that_wait_for_each_other_start_within_eight_seconds,
        a_probe_publishes_the_ip_and_starts_within_four_seconds,
    ];
    // What else the machine does is not what is measured.
    cases.into_iter().map(Case::alone).collect()
}

/// The best of so many is taken: what else the machine does only makes it slower.
const ROUNDS: usize = 3;

async fn a_hook_and_a_network_that_wait_for_each_other_start_within_eight_seconds(
    cluster: &Cluster,
) -> Result<()> {
    starts_within(cluster, "hook", Duration::from_secs(8)).await
}

async fn a_probe_publishes_the_ip_and_starts_within_four_seconds(cluster: &Cluster) -> Result<()> {
    starts_within(cluster, "probe", Duration::from_secs(4)).await
}

async fn starts_within(cluster: &Cluster, gate: &str, limit: Duration) -> Result<()> {
    let tenant = Tenant::new(cluster, &format!("gate-{gate}")).await?;
    tenant.put("app").await?;
    let line = Line::to_vault().await?;
    let mut times = vec![];
    for round in 0..ROUNDS {
        let name = format!("pod-{round}");
        times.push(start(&tenant, line.address(), gate, &name).await?);
    }
    times.sort();
    show(format_args!(
        "gate `{gate}` and a network that waits for the IP: started after {times:.1?}"
    ));
    ensure!(times[0] <= limit, "no pod started within {limit:?}");
    Ok(())
}

/// How long a pod takes to its app's first instruction, which is to make a file.
async fn start(tenant: &Tenant<'_>, vault: SocketAddr, gate: &str, name: &str) -> Result<Duration> {
    let folder = tenant.cluster.lab().folders.cluster().join(tenant.namespace.name());
    let mut gatekeeper = Gatekeeper::guard(vault)?;
    let host = json!({"path": folder, "type": "DirectoryOrCreate"});
    let manifest = tenant
        .vault_pod(name)
        .annotate("vault-address", &format!("https://{vault}"))
        .annotate("gate", gate)
        .script(&format!(": >/started/{name}; {SLEEP}"))
        .spec("volumes", json!([{"name": "started", "hostPath": host}]))
        .app("volumeMounts", json!([{"name": "started", "mountPath": "/started"}]));
    let applied = SystemTime::now();
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    gatekeeper.let_in(&pod, vault).await?;
    let file = folder.join(name);
    let made = || async { Ok(tokio::fs::metadata(&file).await?.modified()?) };
    let made = eventually("the first instruction", PATIENCE, made).await?;
    pod.running().await?;
    if gate == "hook" {
        let agent = container_status(&pod, "mayfly-agent").await?;
        let told = agent["lastState"]["terminated"]["message"].to_string();
        ensure!(told.contains("nobody has answered"), "the first try's end says {told}");
        ensure!(agent["restartCount"] == 1, "the agent was started more than twice: {agent}");
    }
    pod.delete().await?;
    Ok(made.duration_since(applied)?)
}
