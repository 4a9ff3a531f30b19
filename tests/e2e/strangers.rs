//! A container that talks to the webhook without being asked to. The lab enforces no `NetworkPolicy`, so it reaches both
//! ports: on one it learns nothing of any pod, on the other it holds up nobody.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
        suite::Case,
    },
};

use crate::{
    manifest::Manifest,
    operator::{self, PODS},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![the_admin_port_tells_nothing_of_any_pod, garbage_on_the_tls_port_holds_up_nobody]
}

/// The addresses of the webhook's replicas.
async fn replicas(cluster: &Cluster) -> Result<Vec<String>> {
    let addresses = "--output=jsonpath={.items[*].status.podIP}";
    let running = "--field-selector=status.phase=Running";
    let get = ["get", "pods", "--selector", PODS, running, addresses];
    let addresses = operator::kubectl(cluster, &get).await?;
    let addresses: Vec<String> = addresses.split_whitespace().map(str::to_owned).collect();
    ensure!(!addresses.is_empty(), "the webhook has no replicas");
    Ok(addresses)
}

async fn the_admin_port_tells_nothing_of_any_pod(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "stranger").await?;
    let value = tenant.put("app").await?;
    tenant.run(&tenant.vault_pod("secretive")).await?;
    tenant
        .namespace
        .refusal(&tenant.vault_pod("unwelcome").annotate("mode", "x").to_string())
        .await?;
    let stranger = tenant.run(&Manifest::plain("stranger")).await?;
    for address in replicas(cluster).await? {
        let get = |path: &str| format!("wget -q -O - http://{address}:8080{path} || echo refused");
        let metrics = stranger.exec(&["sh", "-c", &get("/metrics")]).await?;
        ensure!(metrics.contains("mayfly_webhook_connections "), "the metrics are {metrics}");
        for told in [tenant.namespace.name(), "secretive", "unwelcome", "vault:", &*value] {
            ensure!(!metrics.contains(told), "{told:?} is in {metrics}");
        }
        let post =
            format!("wget -q -O - --post-data={{}} http://{address}:8080/metrics || echo refused");
        for command in
            [get("/mutate"), get("/"), get("/debug/pprof"), get("/metrics/../../etc"), post]
        {
            let answer = stranger.exec(&["sh", "-c", &command]).await?;
            ensure!(answer.trim() == "refused", "{command:?} is answered with {answer:?}");
        }
    }
    Ok(())
}

async fn garbage_on_the_tls_port_holds_up_nobody(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "garbage").await?;
    tenant.put("app").await?;
    let stranger = tenant.run(&Manifest::plain("stranger")).await?;
    let before = refused_handshakes(cluster, &stranger).await?;
    let addresses = replicas(cluster).await?.join(" ");
    // Megabytes of noise, plain HTTP, and connections that say nothing, 40 of each at once to each replica.
    let noise = format!(
        "for address in {addresses}; do for number in $(seq 40); do \
         (head -c 1000000 /dev/urandom | nc -w 5 $address 8443 >/dev/null 2>&1) & \
         (printf 'POST /mutate HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{{}}' | nc -w 5 $address 8443 >/dev/null 2>&1) & \
         (sleep 5 | nc -w 5 $address 8443 >/dev/null 2>&1) & \
         done; done; wait; echo done"
    );
    let command = ["sh", "-c", &noise];
    let noise = stranger.exec(&command);
    let creations = async {
        let manifest = tenant.vault_pod("web").to_string();
        for _ in 0..20 {
            tenant.namespace.rehearse(&manifest).await.context("a creation beside the noise")?;
        }
        Ok(())
    };
    let (noise, ()) = tokio::try_join!(noise, creations)?;
    ensure!(noise.trim() == "done", "the noise ended with {noise:?}");
    let counted = || async {
        let now = refused_handshakes(cluster, &stranger).await?;
        ensure!(now >= before + 80, "{before} refused handshakes became {now}");
        Ok(())
    };
    eventually("the garbage to be counted", PATIENCE, counted).await?;
    let restarts = "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}";
    let restarts =
        operator::kubectl(cluster, &["get", "pods", "--selector", PODS, restarts]).await?;
    ensure!(restarts.split_whitespace().all(|count| count == "0"), "restarts: {restarts}");
    tenant.run(&tenant.vault_pod("after")).await.map(drop)
}

/// How many handshakes all replicas together have refused.
async fn refused_handshakes(cluster: &Cluster, stranger: &Pod) -> Result<u64> {
    let mut sum = 0;
    for address in replicas(cluster).await? {
        let get = format!("http://{address}:8080/metrics");
        let metrics = stranger.exec(&["wget", "-q", "-O", "-", &get]).await?;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("mayfly_webhook_handshakes_refused_total "));
        sum += line.context("there is no counter")?.parse::<u64>().context("read the counter")?;
    }
    Ok(sum)
}
