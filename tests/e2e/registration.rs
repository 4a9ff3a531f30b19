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
use serde_json::{Value, json};

use crate::{manifest::Manifest, operator, operator::REGISTRATION, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        a_stopped_webhook_holds_back_those_who_ask_and_nobody_else,
        without_its_registration_the_policy_refuses_those_who_ask,
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
    let registration =
        cluster.kubectl(&[&["get", "--output=json"], REGISTRATION.as_slice()].concat()).await?;
    let registration = without_its_history(&registration)?;
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

/// An object as somebody would write it, to make it again.
fn without_its_history(object: &str) -> Result<String> {
    let mut object: Value = serde_json::from_str(object).context("read the registration")?;
    let metadata = object["metadata"].as_object_mut().context("an object has metadata")?;
    for field in ["resourceVersion", "uid", "creationTimestamp", "generation", "managedFields"] {
        metadata.remove(field);
    }
    for webhook in object["webhooks"].as_array_mut().context("a registration has webhooks")? {
        // The replicas' own, which they fill in again.
        webhook["clientConfig"].as_object_mut().context("it has a client")?.remove("caBundle");
    }
    Ok(object.to_string())
}
