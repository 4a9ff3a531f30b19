//! The webhook is away: those who ask are refused with a reason, and nobody else notices.

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
use serde_json::json;

use crate::{
    manifest::Manifest,
    operator,
    operator::{REGISTRATION, WARNINGS},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        a_stopped_webhook_holds_back_those_who_ask_and_nobody_else,
        without_its_registration_the_policy_refuses_those_who_ask,
        without_the_registration_for_workloads_pods_are_reviewed_as_ever,
    ];
    cases.into_iter().map(Case::alone).collect()
}

async fn a_stopped_webhook_holds_back_those_who_ask_and_nobody_else(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "stopped").await?;
    tenant.put("app").await?;
    let earlier = tenant.run(&tenant.vault_pod("earlier")).await?;
    let replicas = operator::replicas(cluster).await?;
    let outcome = async {
        operator::scale(cluster, "0").await?;
        asking_is_refused(&tenant).await?;
        others_start_as_ever(&tenant).await?;
        an_earlier_pod_is_changed_as_ever(&tenant, &earlier).await
    };
    let outcome = outcome.await;
    let restored = operator::scale(cluster, &replicas).await;
    outcome.and(restored)?;
    operator::answers(&tenant).await?;
    tenant.run(&tenant.vault_pod("later")).await.map(drop)
}

/// Whoever asks, however clumsily, hears from the API server which webhook did not answer.
async fn asking_is_refused(tenant: &Tenant<'_>) -> Result<()> {
    let asking = [
        tenant.vault_pod("asks"),
        Manifest::plain("capitals").annotation("Mayfly.dev/Inject", "true"),
        Manifest::plain("misspelt").annotate("injcet", "true"),
        Manifest::plain("forgetful").annotate("file.value", "vault:secret/app#value"),
    ];
    for manifest in asking {
        let told = tenant.namespace.refusal(&manifest.to_string()).await?;
        let reason = "failed calling webhook \"inject.mayfly.dev\"";
        ensure!(told.contains(reason), "{manifest} is refused with {told:?}");
    }
    let pods = tenant.namespace.kubectl(&["get", "pods", "--output=name"]).await?;
    ensure!(pods.trim() == "pod/earlier", "these pods came in: {pods}");
    Ok(())
}

async fn others_start_as_ever(tenant: &Tenant<'_>) -> Result<()> {
    let neighbour = Manifest::plain("neighbour").annotation("example.com/mayfly.dev", "true");
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "plain"}, "spec": {
        "selector": {"matchLabels": {"app": "plain"}}, "template": Manifest::plain("plain").template()}});
    tenant.namespace.apply_all(&deployment.to_string()).await?;
    tenant.run(&Manifest::plain("alone")).await?;
    tenant.run(&neighbour).await?;
    let available =
        ["wait", "--for=condition=Available", "--timeout=120s", "deployment.apps/plain"];
    tenant.namespace.kubectl(&available).await.map(drop)
}

/// Only a creation is reviewed: a label and a deletion of a pod with an agent wait for nobody.
async fn an_earlier_pod_is_changed_as_ever(tenant: &Tenant<'_>, pod: &Pod) -> Result<()> {
    tenant.namespace.kubectl(&["label", "pod", pod.name(), "seen=true"]).await?;
    ensure!(!pod.file("/run/mayfly/value").await?.is_empty(), "the file is empty");
    pod.delete().await
}

async fn without_its_registration_the_policy_refuses_those_who_ask(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "unregistered").await?;
    tenant.put("app").await?;
    let registration = operator::manifest(cluster, &REGISTRATION).await?.to_string();
    let outcome = async {
        cluster.kubectl(&[&["delete"], REGISTRATION.as_slice()].concat()).await?;
        the_policy_refuses(&tenant, &tenant.vault_pod("asks")).await?;
        let capitals = Manifest::plain("capitals").annotation("Mayfly.dev/Inject", "true");
        the_policy_refuses(&tenant, &capitals).await?;
        tenant.run(&Manifest::plain("alone")).await
    };
    let outcome = outcome.await;
    let restored = operator::apply(cluster.lab(), &registration).await;
    outcome.map(drop).and(restored)?;
    operator::answers(&tenant).await?;
    tenant.run(&tenant.vault_pod("later")).await.map(drop)
}

/// The API server hears of the deletion a moment later, so the first answers may still be the webhook's.
async fn the_policy_refuses(tenant: &Tenant<'_>, manifest: &Manifest) -> Result<()> {
    let refused = || async {
        let answer = tenant.namespace.rehearse(&manifest.to_string()).await;
        let told = answer.err().context("the pod is taken in")?.to_string();
        ensure!(told.contains("'mayfly-agent-present'"), "the refusal is {told:?}");
        Ok(())
    };
    eventually("the policy to refuse", PATIENCE, refused).await?;
    let told = tenant.namespace.refusal(&manifest.to_string()).await?;
    for words in ["has no container `mayfly-agent`", "`mayfly-webhook` did not see it"] {
        ensure!(told.contains(words), "{words:?} is not in {told:?}");
    }
    Ok(())
}

/// Neither registration's end is the other's: pods go on to be reviewed, nobody is restarted or unready, and workloads
/// are taken in silence, until the registration is there again.
async fn without_the_registration_for_workloads_pods_are_reviewed_as_ever(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "unwarned").await?;
    tenant.put("app").await?;
    let registration = operator::manifest(cluster, &WARNINGS).await?.to_string();
    let bundle = bundle(cluster, &REGISTRATION).await?;
    let outcome = async {
        cluster.kubectl(&[&["delete"], WARNINGS.as_slice()].concat()).await?;
        tenant.run(&tenant.vault_pod("asks")).await?;
        let silent =
            || async { warned(&tenant).await?.is_empty().then_some(()).context("a warning") };
        eventually("the warnings to end", PATIENCE, silent).await?;
        operator::rolled_out(cluster).await?;
        ensure!(self::bundle(cluster, &REGISTRATION).await? == bundle, "the bundle has changed");
        Ok(())
    };
    let outcome: Result<()> = outcome.await;
    let restored = operator::apply(cluster.lab(), &registration).await;
    outcome.and(restored)?;
    let warned = || async {
        let said = warned(&tenant).await?;
        ensure!(said.contains("will be refused"), "it was said: {said:?}");
        Ok(())
    };
    eventually("the warnings to be back", PATIENCE, warned).await?;
    ensure!(self::bundle(cluster, &WARNINGS).await? == bundle, "the bundles differ");
    Ok(())
}

/// What the author of a Deployment is told, whose pods would be refused.
async fn warned(tenant: &Tenant<'_>) -> Result<String> {
    let pod = tenant.vault_pod("web").annotate("mode", "sidekick");
    let mut template = pod.template();
    template["metadata"]["labels"] = json!({"app": "web"});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}});
    let options = ["--dry-run=server"];
    let answer = tenant.namespace.submit_with(&deployment.to_string(), &options).await?;
    ensure!(answer.accepted, "the Deployment was refused: {}", answer.said);
    Ok(answer.said)
}

async fn bundle(cluster: &Cluster, registration: &[&str]) -> Result<String> {
    let bundle = "--output=jsonpath={.webhooks[*].clientConfig.caBundle}";
    cluster.kubectl(&[&["get", bundle], registration].concat()).await
}
