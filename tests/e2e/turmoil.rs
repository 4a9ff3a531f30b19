//! Everything at once: replicas restarted in random order, certificates of one minute, the bundle emptied by hand every
//! ten seconds, and pods created all the while. No pod comes in without its agent, and none is refused but in the moment
//! in which the API server has no bundle, which no webhook can help; whoever tries again is taken in.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        progress::say,
        suite::Case,
    },
};
use reqwest::{Client, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    operator::{self, PODS, REGISTRATION, WARNINGS},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![no_pod_comes_in_without_its_agent];
    cases.into_iter().map(Case::alone).collect()
}

/// How long, and how many pods at least.
fn extent(cluster: &Cluster) -> (Duration, usize) {
    if cluster.soak() { (Duration::from_mins(5), 1000) } else { (Duration::from_mins(1), 200) }
}

/// The pause between two emptied bundles.
const EMPTIED_EVERY: Duration = Duration::from_secs(10);

/// How long after a repair some API server may still have the emptied bundle.
const PROPAGATION: Duration = Duration::from_secs(2);

async fn no_pod_comes_in_without_its_agent(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "turmoil").await?;
    tenant.put("app").await?;
    let before = deployment(cluster).await?;
    let outcome = async {
        shorten_lives(cluster).await?;
        turmoil(&tenant).await
    };
    let outcome = outcome.await;
    let restored = restore(cluster, &before).await;
    outcome.and(restored)?;
    operator::answers(&tenant).await?;
    tenant.run(&tenant.vault_pod("web")).await.map(drop)
}

/// What the test changes of the Deployment.
async fn deployment(cluster: &Cluster) -> Result<Value> {
    let get = ["get", operator::DEPLOYMENT, "--output=json"];
    let deployment: Value = serde_json::from_str(&operator::kubectl(cluster, &get).await?)?;
    Ok(json!([
        {"op": "replace", "path": "/spec/replicas", "value": deployment["spec"]["replicas"]},
        {"op": "replace", "path": ARGUMENTS, "value": deployment.pointer(ARGUMENTS)},
    ]))
}

const ARGUMENTS: &str = "/spec/template/spec/containers/0/args";

async fn shorten_lives(cluster: &Cluster) -> Result<()> {
    let patch = json!([
        {"op": "replace", "path": "/spec/replicas", "value": 3},
        {"op": "add", "path": format!("{ARGUMENTS}/-"), "value": "--certificate-lifetime=1m"},
    ]);
    restore(cluster, &patch).await
}

async fn restore(cluster: &Cluster, patch: &Value) -> Result<()> {
    let patch = format!("--patch={patch}");
    operator::kubectl(cluster, &["patch", operator::DEPLOYMENT, "--type=json", &patch]).await?;
    operator::rolled_out(cluster).await
}

async fn turmoil(tenant: &Tenant<'_>) -> Result<()> {
    let (length, most) = extent(tenant.cluster);
    let end = Instant::now() + length;
    let blinks = Blinks::default();
    let creator = Creator::new(tenant).await?;
    let (restarts, emptied, created) = tokio::try_join!(
        restart(tenant.cluster, end),
        empty(tenant.cluster, &blinks, end),
        creator.create(&blinks, end, length / u32::try_from(most)?),
    )?;
    let Created { taken, refused_in_a_blink } = created;
    say(format_args!(
        "{taken} pods were created, {restarts} replicas restarted, the bundle emptied {emptied} times; \
         {refused_in_a_blink} creations met an emptied bundle and were taken in when tried again"
    ));
    ensure!(taken >= most, "only {taken} pods were created");
    ensure!(restarts > 1 && emptied > 1, "{restarts} restarts, emptied {emptied} times");
    Ok(())
}

/// Deletes one replica after the other, each when all are ready again.
async fn restart(cluster: &Cluster, end: Instant) -> Result<usize> {
    let mut restarts = 0;
    while Instant::now() < end {
        let pods =
            operator::kubectl(cluster, &["get", "pods", "--selector", PODS, "--output=name"]);
        let pods = pods.await?;
        let pods: Vec<&str> = pods.lines().collect();
        let pod = fastrand::choice(&pods).context("there are no replicas")?;
        operator::kubectl(cluster, &["delete", pod, "--wait=false"]).await?;
        operator::rolled_out(cluster).await?;
        restarts += 1;
    }
    Ok(restarts)
}

/// The times in which the API server may have had no bundle.
#[derive(Debug, Clone, Default)]
struct Blinks(Arc<Mutex<Vec<Blink>>>);

/// From when to when; still going on when there is no end.
type Blink = (Instant, Option<Instant>);

impl Blinks {
    fn begin(&self) {
        self.lock().push((Instant::now(), None));
    }

    fn end(&self) {
        if let Some((_, end)) = self.lock().last_mut() {
            *end = Some(Instant::now());
        }
    }

    /// Whether a creation that lasted from `begin` to `end` met one.
    fn met(&self, begin: Instant, end: Instant) -> bool {
        let ended = |blink: &Option<Instant>| blink.is_none_or(|blink| begin < blink + PROPAGATION);
        self.lock().iter().any(|(begun, blink)| *begun < end && ended(blink))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Blink>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Empties the bundle of both registrations, again and again, and waits until it is repaired.
async fn empty(cluster: &Cluster, blinks: &Blinks, end: Instant) -> Result<usize> {
    let (mut emptied, mut next) = (0, Instant::now());
    while Instant::now() < end {
        blinks.begin();
        let bundle =
            json!({"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": ""});
        let patch = format!("--patch={}", json!([bundle]));
        for registration in [REGISTRATION, WARNINGS] {
            let patch = ["--type=json", &patch];
            cluster.kubectl(&[&["patch"], registration.as_slice(), &patch].concat()).await?;
        }
        eventually("the bundle to be repaired", PATIENCE, || is_whole(cluster)).await?;
        blinks.end();
        emptied += 1;
        next += EMPTIED_EVERY;
        sleep_until(next).await;
    }
    Ok(emptied)
}

async fn is_whole(cluster: &Cluster) -> Result<()> {
    let bundles = "--output=jsonpath={.webhooks[*].clientConfig.caBundle}";
    for registration in [REGISTRATION, WARNINGS] {
        let get = [&["get"], registration.as_slice(), &[bundles]].concat();
        let bundle = cluster.kubectl(&get).await?;
        ensure!(!bundle.is_empty(), "{registration:?} has no bundle");
    }
    Ok(())
}

/// Somebody who creates pods, one after the other.
struct Creator {
    client: Client,
    url: String,
    token: String,
    pod: String,
}

struct Created {
    taken: usize,
    refused_in_a_blink: usize,
}

/// What came of one creation.
enum Outcome {
    Taken,
    Refused(String),
}

impl Creator {
    async fn new(tenant: &Tenant<'_>) -> Result<Self> {
        let namespace = &tenant.namespace;
        namespace.service_account("creator").await?;
        let account = format!("--serviceaccount={}:creator", namespace.name());
        namespace
            .kubectl(&["create", "rolebinding", "creator", "--clusterrole=edit", &account])
            .await?;
        let server = mayfly_tests::lab::addresses::API_SERVER;
        // A server-side dry run asks webhook and policy as a creation does, and costs the node nothing.
        let url = format!("{server}/api/v1/namespaces/{}/pods?dryRun=All", namespace.name());
        let token = namespace.token("creator", None).await?;
        let pod = tenant.vault_pod("web").to_string();
        Ok(Self { client: tenant.cluster.lab().http()?, url, token, pod })
    }

    async fn create(&self, blinks: &Blinks, end: Instant, pace: Duration) -> Result<Created> {
        let mut created = Created { taken: 0, refused_in_a_blink: 0 };
        while Instant::now() < end {
            let next = Instant::now() + pace / 2;
            let begun = Instant::now();
            if let Outcome::Refused(told) = self.submit().await? {
                let blinked = blinks.met(begun, Instant::now()) && told.contains("x509");
                ensure!(blinked, "a pod was refused, and not for an emptied bundle: {told}");
                created.refused_in_a_blink += 1;
                eventually("the next try to be taken in", PATIENCE, || self.again()).await?;
            }
            created.taken += 1;
            sleep(next.saturating_duration_since(Instant::now())).await;
        }
        Ok(created)
    }

    async fn again(&self) -> Result<()> {
        match self.submit().await? {
            Outcome::Taken => Ok(()),
            Outcome::Refused(told) => bail!(told),
        }
    }

    async fn submit(&self) -> Result<Outcome> {
        let request = self.client.post(&self.url).bearer_auth(&self.token);
        let request = request.header(CONTENT_TYPE, "application/json").body(self.pod.clone());
        let answer = request.send().await.context("ask the API server")?;
        let taken = answer.status().is_success();
        let text = answer.text().await.context("read the API server's answer")?;
        if !taken {
            return Ok(Outcome::Refused(text));
        }
        let pod: Value = serde_json::from_str(&text).context("read the pod")?;
        let agent = &pod["spec"]["initContainers"][0]["name"];
        ensure!(agent == "mayfly-agent", "a pod came in without its agent: {pod}");
        Ok(Outcome::Taken)
    }
}
