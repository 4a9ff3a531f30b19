//! A tenant who may only create pods, and creates those that cost a careless webhook most, all at once and without a
//! pause; and slow strangers at the webhook's port. Honest pods in another namespace start as ever.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases, crowds,
    lab::{
        addresses::API_SERVER,
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
        progress::say,
        suite::Case,
    },
};
use reqwest::{Client, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    manifest::Manifest,
    operator::{self, PODS},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![a_hostile_tenant_holds_up_nobody];
    cases.into_iter().map(Case::alone).collect()
}

/// How long the hostility lasts.
const EXTENT: Duration = Duration::from_mins(2);

/// Between two pods of one crowd: the API server itself needs its time for megabytes.
const PACE: Duration = Duration::from_secs(3);

/// A Deployment is validated before it is stored; what is larger costs the API server itself more than it costs us.
const LARGEST_TEMPLATE: usize = 256 * 1024;

/// The webhook's replicas in the lab.
const REPLICAS: usize = 2;

/// Connections that begin a body and never end it; the shell of one pod holds them.
const SLOW: usize = 100;

async fn a_hostile_tenant_holds_up_nobody(cluster: &Cluster) -> Result<()> {
    let honest = Tenant::new(cluster, "honest").await?;
    honest.put("app").await?;
    let alone = started(&honest, "alone").await?;
    let settled = || async {
        let replicas = restarts(cluster).await?;
        ensure!(replicas.len() == REPLICAS, "there are {replicas:?}");
        Ok(replicas)
    };
    let before = eventually("earlier replicas to be gone", PATIENCE, settled).await?;
    let hostile = Hostile::new(cluster).await?;
    let stranger = hostile.tenant.run(&Manifest::plain("stranger")).await?;
    let end = Instant::now() + EXTENT;
    let deployments = hostile.deploy().await?;
    let pods = crowds::pods();
    let crowds = pods.iter().map(|(name, pod)| hostile.flood(name, pod, end));
    let (answers, starts, ()) = tokio::try_join!(
        futures_util::future::try_join_all(crowds),
        start_pods(&honest, end),
        hostile.dawdle(cluster, &stranger, end),
    )?;
    say(format_args!(
        "{} hostile pods were answered, {deployments} Deployments tried; {} honest pods started meanwhile, \
         the slowest after {:.1?}, one alone after {alone:.1?}",
        answers.iter().sum::<usize>(),
        starts.len(),
        starts.iter().max().context("no start")?
    ));
    ensure!(starts.len() >= 3, "only {} honest pods started", starts.len());
    let now = restarts(cluster).await?;
    ensure!(now == before, "restarts of the replicas were {before:?} and are {now:?}");
    operator::answers(&honest).await
}

/// Starts honest pods, one after the other, and says how long each took.
async fn start_pods(tenant: &Tenant<'_>, end: Instant) -> Result<Vec<Duration>> {
    let mut starts = Vec::new();
    while Instant::now() < end {
        starts.push(started(tenant, &format!("web-{}", starts.len())).await?);
    }
    Ok(starts)
}

async fn started(tenant: &Tenant<'_>, name: &str) -> Result<Duration> {
    let begun = Instant::now();
    tenant.run(&tenant.vault_pod(name)).await.with_context(|| format!("start the pod {name}"))?;
    Ok(begun.elapsed())
}

/// The name, id and count of restarts of every replica.
async fn restarts(cluster: &Cluster) -> Result<Vec<String>> {
    let counts = "--output=jsonpath={range .items[*]}{.metadata.name}={.status.containerStatuses[*].restartCount} {end}";
    let counts = operator::kubectl(cluster, &["get", "pods", "--selector", PODS, counts]).await?;
    Ok(counts.split_whitespace().map(str::to_owned).collect())
}

/// Whether the webhook refused a review for its size: what the API server adds to each of many short items makes tens of
/// megabytes of them. It may hear so, or find that nobody reads on. A webhook that does not answer in time, is not there
/// or ends is a 500 too, with other words.
fn is_too_large(said: &str) -> bool {
    ["status code 413", "write: broken pipe", "write: connection reset by peer"]
        .iter()
        .any(|words| said.contains(words))
}

/// Somebody who may create pods and Deployments in a namespace, and nothing else.
struct Hostile<'a> {
    tenant: Tenant<'a>,
    client: Client,
    token: String,
}

impl<'a> Hostile<'a> {
    async fn new(cluster: &'a Cluster) -> Result<Self> {
        let tenant = Tenant::new(cluster, "hostile").await?;
        let namespace = &tenant.namespace;
        namespace.service_account("creator").await?;
        let create =
            ["create", "role", "creator", "--verb=create", "--resource=pods,deployments.apps"];
        namespace.kubectl(&create).await?;
        let account = format!("--serviceaccount={}:creator", namespace.name());
        namespace
            .kubectl(&["create", "rolebinding", "creator", "--role=creator", &account])
            .await?;
        let token = namespace.token("creator", None).await?;
        Ok(Self { client: cluster.lab().http()?, tenant, token })
    }

    async fn post(&self, resource: &str, body: String) -> Result<(StatusCode, String)> {
        let name = self.tenant.namespace.name();
        let url = format!("{API_SERVER}/{resource}");
        let url = url.replace("{namespace}", name);
        let request = self.client.post(url).bearer_auth(&self.token);
        let answer = request.header(CONTENT_TYPE, "application/json").body(body).send().await;
        let answer = answer.context("ask the API server")?;
        Ok((answer.status(), answer.text().await.context("read the API server's answer")?))
    }

    /// A Deployment of each crowd that the API server takes as one; its controller tries its pods for ever.
    async fn deploy(&self) -> Result<usize> {
        let mut taken = 0;
        let pods = crowds::pods().into_iter().filter(|(_, pod)| pod.len() < LARGEST_TEMPLATE);
        for (number, (_, pod)) in pods.enumerate() {
            let mut pod: Value = serde_json::from_str(&pod)?;
            pod["spec"]["containers"][0]["image"] = json!("busybox");
            let labels = json!({"hostile": number.to_string()});
            pod["metadata"]["labels"] = labels.clone();
            let deployment = json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("hostile-{number}")},
                "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": pod},
            });
            let resource = "apis/apps/v1/namespaces/{namespace}/deployments";
            let (status, _) = self.post(resource, deployment.to_string()).await?;
            taken += usize::from(status.is_success());
        }
        Ok(taken)
    }

    /// Creates the same pod again and again; how often that was answered.
    async fn flood(&self, name: &str, pod: &str, end: Instant) -> Result<usize> {
        let mut answered = 0;
        while Instant::now() < end {
            let resource = "api/v1/namespaces/{namespace}/pods?dryRun=All";
            let (status, said) =
                self.post(resource, pod.to_owned()).await.with_context(|| name.to_owned())?;
            ensure!(!status.is_server_error() || is_too_large(&said), "{name}: {status} {said}");
            answered += 1;
            sleep(PACE).await;
        }
        Ok(answered)
    }

    /// Connections that begin TLS and say no more, from a pod, at each replica.
    async fn dawdle(&self, cluster: &Cluster, stranger: &Pod, end: Instant) -> Result<()> {
        let addresses = "--output=jsonpath={.items[*].status.podIP}";
        let addresses =
            operator::kubectl(cluster, &["get", "pods", "--selector", PODS, addresses]).await?;
        let seconds = end.saturating_duration_since(Instant::now()).as_secs().max(1);
        let slow = format!(
            "for address in {addresses}; do for number in $(seq {SLOW}); do \
             (sleep {seconds} | nc -w {seconds} $address 8443 >/dev/null 2>&1) & done; done; wait; echo done"
        );
        let said = stranger.exec(&["sh", "-c", &slow]).await?;
        ensure!(said.trim() == "done", "the connections ended with {said:?}");
        Ok(())
    }
}
