//! The webhook's replicas are replaced under a stream of pods: none is lost, and none comes in without its agent.

use std::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        node::NODE_NAME,
        progress::say,
        suite::Case,
    },
};
use serde_json::{Value, json};

use crate::{
    operator::{self, PODS},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![a_rolling_restart_loses_no_pod, a_drained_node_loses_no_pod];
    cases.into_iter().map(Case::alone).collect()
}

async fn a_rolling_restart_loses_no_pod(cluster: &Cluster) -> Result<()> {
    under_a_stream_of_pods(cluster, Box::pin(operator::restart(cluster))).await
}

async fn a_drained_node_loses_no_pod(cluster: &Cluster) -> Result<()> {
    under_a_stream_of_pods(cluster, Box::pin(drain(cluster))).await
}

/// The lab has one node: it must take the replacements, so it is opened again as soon as it is closed.
async fn drain(cluster: &Cluster) -> Result<()> {
    let drain = ["drain", NODE_NAME, "--delete-emptydir-data", "--timeout=180s", "--pod-selector"];
    let drain = [drain.as_slice(), &[PODS]].concat();
    let open = || async {
        let closed = ["get", "node", NODE_NAME, "--output=jsonpath={.spec.unschedulable}"];
        ensure!(cluster.kubectl(&closed).await? == "true", "the node is open");
        cluster.kubectl(&["uncordon", NODE_NAME]).await
    };
    let opened = eventually("the node to be closed", PATIENCE, open);
    let (drained, opened) = tokio::join!(cluster.kubectl(&drain), opened);
    drained.and(opened)?;
    operator::rolled_out(cluster).await
}

/// Creates pods without a pause for as long as `change` goes on, and some more.
async fn under_a_stream_of_pods(
    cluster: &Cluster,
    change: impl Future<Output = Result<()>>,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "stream").await?;
    tenant.put("app").await?;
    let before = replicas(cluster).await?;
    let over = AtomicBool::new(false);
    let change = async {
        let outcome = change.await;
        let gone = are_gone(cluster, &before).await;
        over.store(true, Ordering::Relaxed);
        outcome.and(gone)
    };
    // Whatever becomes of the pods, the change comes to its end, and leaves the cluster as it was.
    let (changed, created) = tokio::join!(change, stream(&tenant, &over));
    changed?;
    say(format_args!("{} pods were created meanwhile", created?));
    tenant.run(&tenant.vault_pod("web")).await.map(drop)
}

/// A replaced replica goes on answering for as long as requests may still come its way.
async fn are_gone(cluster: &Cluster, before: &[String]) -> Result<()> {
    let gone = || async {
        let now = replicas(cluster).await?;
        ensure!(now.iter().all(|pod| !before.contains(pod)), "{before:?} became {now:?}");
        Ok(())
    };
    eventually("the end of the replaced replicas", PATIENCE, gone).await
}

async fn replicas(cluster: &Cluster) -> Result<Vec<String>> {
    let running = "--field-selector=status.phase=Running";
    let pods = ["get", "pods", "--selector", PODS, running, "--output=name"];
    Ok(operator::kubectl(cluster, &pods).await?.lines().map(str::to_owned).collect())
}

async fn stream(tenant: &Tenant<'_>, over: &AtomicBool) -> Result<usize> {
    let mut created = 0;
    loop {
        let last = over.load(Ordering::Relaxed);
        let (one, other) = tokio::try_join!(batch(tenant), batch(tenant))?;
        created += one + other;
        if last {
            return Ok(created);
        }
    }
}

/// How many pods one run of `kubectl` creates.
const BATCH: usize = 20;

/// A server-side dry run asks the webhook and the policy as a creation does, and costs the node nothing.
async fn batch(tenant: &Tenant<'_>) -> Result<usize> {
    let pod = |number| tenant.vault_pod(&format!("web-{number}")).to_string();
    let pods: Vec<Value> =
        (0..BATCH).map(|number| serde_json::from_str(&pod(number))).collect::<Result<_, _>>()?;
    let list = json!({"apiVersion": "v1", "kind": "List", "items": pods});
    let answer = tenant.namespace.rehearse(&list.to_string()).await?;
    let pods = answer["items"].as_array().context("a list of pods")?;
    let complete = |pod: &&Value| pod["spec"]["initContainers"][0]["name"] == "mayfly-agent";
    let complete = pods.iter().filter(complete).count();
    ensure!(complete == BATCH, "{complete} of {BATCH} pods have an agent");
    Ok(complete)
}
