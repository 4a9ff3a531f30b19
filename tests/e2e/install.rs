//! How Mayfly comes into a cluster, is replaced by another version, and goes: by Helm, by `kubectl apply -k`, and as a
//! mere registration of a webhook that runs elsewhere. Each test takes the lab's own install away and puts it back.

mod bundle;
mod outside;
pub(crate) mod release;
mod rights;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        addresses::HOST,
        chart::RELEASE,
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        images::mayfly::TAG,
        install::NAMESPACE,
        pki::WEBHOOK,
        pod::Pod,
        suite::Case,
    },
};
use release::{helm, in_place_of_the_labs_own, install, nothing_is_left, tag_images};

use crate::{
    host::restarts,
    operator::{self, PODS},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        helm_installs_upgrades_rolls_back_and_leaves_nothing,
        a_replica_on_its_nodes_network_injects,
    ];
    let cases = cases.into_iter().map(Case::alone).collect();
    [cases, bundle::cases(), outside::cases(), rights::cases()].concat()
}

/// The tag of the version after this one.
const NEXT: &str = "e2e-next";

async fn helm_installs_upgrades_rolls_back_and_leaves_nothing(cluster: &Cluster) -> Result<()> {
    in_place_of_the_labs_own(cluster, async {
        tag_images(cluster, NEXT).await?;
        install(cluster, &[]).await?;
        let tenant = Tenant::new(cluster, "helm").await?;
        let first = Delivery::start(&tenant, "first", TAG).await?;
        let bundle = bundle::of_both(cluster).await?;
        install(cluster, &["--set", "webhook.timeoutSeconds=6"]).await?;
        ensure!(bundle::of_both(cluster).await? == bundle, "`helm upgrade` has changed the bundle");
        bundle::is_the_replicas_own(cluster).await?;
        let (image, agent) = (format!("image.tag={NEXT}"), format!("agent.image.tag={NEXT}"));
        install(cluster, &["--set", &image, "--set", &agent, "--set", "replicas=3"]).await?;
        ensure!(operator::replicas(cluster).await? == "3", "the new value has not arrived");
        let second = Delivery::start(&tenant, "second", NEXT).await?;
        first.goes_on(&tenant).await?;
        helm(cluster, &["rollback", RELEASE, "1", "--wait"]).await?;
        ensure!(operator::replicas(cluster).await? == "2", "the old value has not come back");
        let third = Delivery::start(&tenant, "third", TAG).await?;
        for delivery in [&first, &second, &third] {
            delivery.goes_on(&tenant).await?;
        }
        helm(cluster, &["uninstall", RELEASE, "--wait"]).await?;
        let gone = || nothing_is_left(cluster);
        eventually("everything to be gone", PATIENCE, gone).await?;
        first.goes_on(&tenant).await
    })
    .await
}

/// A pod with its secrets, and the version of its agent.
struct Delivery {
    pod: Pod,
    tag: &'static str,
}

impl Delivery {
    async fn start(tenant: &Tenant<'_>, name: &str, tag: &'static str) -> Result<Self> {
        let value = tenant.put("app").await?;
        operator::answers(tenant).await?;
        let pod = tenant.run(&tenant.vault_pod(name)).await?;
        ensure!(pod.file("/run/mayfly/value").await? == value, "{name} has another file");
        let delivery = Self { pod, tag };
        delivery.has_its_agent().await?;
        Ok(delivery)
    }

    async fn has_its_agent(&self) -> Result<()> {
        let spec = self.pod.json().await?["spec"].take();
        let containers = spec["initContainers"].as_array().context("there is no sidecar")?;
        let agent = containers.iter().find(|container| container["name"] == "mayfly-agent");
        let image = &agent.context("there is no agent")?["image"];
        let expected = format!("localhost/mayfly-agent:{}", self.tag);
        ensure!(*image == expected, "{} has the agent {image}", self.pod.name());
        Ok(())
    }

    /// The pod is the one that it was, and its files follow their secret.
    async fn goes_on(&self, tenant: &Tenant<'_>) -> Result<()> {
        self.has_its_agent().await?;
        for container in ["mayfly-agent", "app"] {
            ensure!(restarts(&self.pod, container).await? == 0, "{container} was restarted");
        }
        let value = tenant.put("app").await?;
        let arrived = || async {
            let seen = self.pod.file("/run/mayfly/value").await?;
            ensure!(seen == value, "{} has an old file", self.pod.name());
            Ok(())
        };
        eventually("the new version of the secret", PATIENCE, arrived).await
    }
}

/// One replica, because a node has each port once; with a certificate from a Secret, the third way to have one.
async fn a_replica_on_its_nodes_network_injects(cluster: &Cluster) -> Result<()> {
    in_place_of_the_labs_own(cluster, async {
        let pki = cluster.lab().pki();
        cluster.kubectl(&["create", "namespace", NAMESPACE]).await?;
        let pair = [pki.certificate(WEBHOOK), pki.key(WEBHOOK)];
        let [certificate, key] = pair.map(|path| path.display().to_string());
        let create = ["create", "secret", "tls", "mayfly-webhook-tls", "--cert", &certificate];
        operator::kubectl(cluster, &[create.as_slice(), &["--key", &key]].concat()).await?;
        let authority = pki.authority_certificate();
        let authority = format!("tls.secret.caBundle={}", authority.display());
        let values =
            "tls.mode=secret,hostNetwork=true,replicas=1,ports.https=9443,ports.admin=9080";
        install(cluster, &["--set", values, "--set-file", &authority]).await?;
        // Helm does not wait for the only replica of those that may be unavailable.
        operator::rolled_out(cluster).await?;
        let address = "--output=jsonpath={.items[*].status.podIP}";
        let address = operator::kubectl(cluster, &["get", "pods", "-l", PODS, address]).await?;
        ensure!(address == HOST, "the replica's address is {address}, not its node's");
        let tenant = Tenant::new(cluster, "host-network").await?;
        Delivery::start(&tenant, "web", TAG).await.map(drop)
    })
    .await
}
