//! Mayfly as a Helm release, in the place of the lab's own install.
#![expect(clippy::disallowed_methods, reason = "values are a file")]

use std::{fs, future::Future, panic::AssertUnwindSafe, path::PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use futures_util::FutureExt as _;
use mayfly_tests::lab::{
    chart::{self, RELEASE},
    cluster::Cluster,
    folders,
    images::mayfly::{TAG, Target},
    install::{self, NAMESPACE},
};
use serde_json::{Value, json};

/// What belongs to no namespace.
const GLOBAL: &str = "mutatingwebhookconfigurations,validatingadmissionpolicies,\
                      validatingadmissionpolicybindings,clusterroles,clusterrolebindings";

/// What belongs to the webhook's namespace.
const LOCAL: &str = "all,configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies,\
                     poddisruptionbudgets";

/// Takes the lab's own install away for as long as `work` goes on, and puts it back whatever becomes of that.
pub(crate) async fn in_place_of_the_labs_own(
    cluster: &Cluster,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    let taken = install::remove(cluster.lab()).await;
    let work = AssertUnwindSafe(async {
        taken?;
        work.await
    });
    let outcome = work.catch_unwind().await.unwrap_or_else(|_| Err(anyhow!("the work panicked")));
    let seen = if outcome.is_err() { look(cluster).await } else { String::new() };
    let cleared = clear(cluster).await;
    let restored = install::apply(cluster.lab()).await;
    outcome.context(seen).and(cleared).and(restored)
}

/// What is to be seen of an install that did not do what it should.
async fn look(cluster: &Cluster) -> String {
    let mut page = String::new();
    for words in [["describe", "pods"], ["logs", "deployment/mayfly-webhook"]] {
        let arguments = [["--namespace", NAMESPACE], words].concat();
        page += &cluster.kubectl(&arguments).await.unwrap_or_else(|error| format!("{error:#}"));
    }
    page
}

async fn clear(cluster: &Cluster) -> Result<()> {
    helm(cluster, &["uninstall", RELEASE, "--ignore-not-found", "--wait"]).await?;
    let namespace = ["delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s"];
    cluster.kubectl(&namespace).await.map(drop)
}

/// Runs Helm in the webhook's namespace.
pub(crate) async fn helm(cluster: &Cluster, arguments: &[&str]) -> Result<String> {
    let helm = cluster.lab().helm_program().args(["--namespace", NAMESPACE]);
    helm.args(arguments).text().await
}

/// Installs or upgrades the release, with more of Helm's options, and waits until all replicas are ready.
pub(crate) async fn install(cluster: &Cluster, options: &[&str]) -> Result<()> {
    let values = values(cluster)?.display().to_string();
    let chart = chart::path().display().to_string();
    let upgrade = ["upgrade", "--install", RELEASE, &chart, "--create-namespace", "--values"];
    let wait = [&*values, "--wait", "--timeout=120s"];
    helm(cluster, &[&upgrade, wait.as_slice(), options].concat()).await.map(drop)
}

/// What a user sets: the images' names, and the operator's configuration, which is the lab's own.
fn values(cluster: &Cluster) -> Result<PathBuf> {
    let config = folders::read(&install::overlay(cluster.lab()).join("config.yaml"))?;
    let mut config: Value = serde_saphyr::from_str(&config).context("read the configuration")?;
    // The agent's image has values of its own.
    config.as_object_mut().context("the configuration is a mapping")?.remove("agent");
    let image = |target: Target| {
        let image = target.image();
        json!({"repository": image.trim_end_matches(&format!(":{TAG}")), "tag": TAG})
    };
    let (webhook, agent) = (image(Target::Webhook), json!({"image": image(Target::Agent)}));
    let values = json!({"image": webhook, "agent": agent, "config": config});
    let path = cluster.lab().folders.cluster().join("helm-values.json");
    fs::write(&path, values.to_string()).context("write the values")?;
    Ok(path)
}

/// Gives containerd the images under another tag: the next version.
pub(crate) async fn tag_images(cluster: &Cluster, tag: &str) -> Result<()> {
    for target in [Target::Agent, Target::Webhook] {
        let image = target.image();
        let next = image.replace(&format!(":{TAG}"), &format!(":{tag}"));
        cluster.ctr(&["images", "tag", "--force", &image, &next]).await?;
    }
    Ok(())
}

/// There is nothing of Mayfly's in the cluster, but for the namespace, which Helm leaves.
pub(crate) async fn nothing_is_left(cluster: &Cluster) -> Result<()> {
    let ours = "app.kubernetes.io/name=mayfly-webhook";
    let global = ["get", GLOBAL, "--selector", ours, "--output=name"];
    let global = cluster.kubectl(&global).await?;
    ensure!(global.is_empty(), "there is still {global}");
    let local = ["get", LOCAL, "--namespace", NAMESPACE, "--output=name"];
    let local = cluster.kubectl(&local).await?;
    let own = ["configmap/kube-root-ca.crt", "serviceaccount/default"];
    let left: Vec<&str> = local.lines().filter(|name| !own.contains(name)).collect();
    ensure!(left.is_empty(), "there is still {left:?}");
    Ok(())
}
