//! Vault answers, and not with a secret: sealed, deleted, destroyed, or not to be written to. Each is told for what it is.

use std::time::Duration;

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        line::Line,
        pod::Pod,
        suite::Case,
        vault::Spare,
    },
};
use serde_json::{Value, json};

use super::{machine::Machine, sessions::allow};
use crate::{
    canary,
    tenant::{Tenant, status},
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_sealed_vault_leaves_the_files_and_is_told,
        deleted_and_destroyed_versions_are_told_apart,
        a_write_to_a_kv_store_is_refused_with_words,
    ]
}

async fn a_sealed_vault_leaves_the_files_and_is_told(cluster: &Cluster) -> Result<()> {
    let spare = Spare::start(cluster.lab()).await?;
    let outcome = seal_and_unseal(cluster, &spare).await;
    spare.stop().await?;
    outcome
}

async fn seal_and_unseal(cluster: &Cluster, spare: &Spare<'_>) -> Result<()> {
    let hold = if cluster.soak() { Duration::from_mins(1) } else { Duration::from_secs(5) };
    let tenant = Tenant::new(cluster, "sealed").await?;
    let (name, path) = (tenant.namespace.name(), tenant.path("app"));
    let policy = format!("path \"secret/data/{name}/*\" {{ capabilities = [\"read\"] }}");
    spare.vault.role(name, name, "default", &policy).await?;
    let (old, new) = (canary::secret(), canary::secret());
    spare.vault.put(&path, json!({"value": old})).await?;
    let line = Line::to_vault_at(&spare.listener).await?;
    let address = format!("https://{}", line.address());
    let pod = tenant.run(&tenant.vault_pod("web").annotate("vault-address", &address)).await?;
    spare.seal().await?;
    let told = || async {
        let status = status(&pod).await?;
        let text = status.to_string();
        ensure!(status["state"] == "stale" && text.contains("sealed"), "the status is {text}");
        Ok(())
    };
    eventually("the status to tell that Vault is sealed", PATIENCE, told).await?;
    tokio::time::sleep(hold).await;
    ensure!(pod.file("/run/mayfly/value").await? == old, "the files did not stay");
    spare.unseal().await?;
    spare.vault.put(&path, json!({"value": new})).await?;
    becomes(&pod, &new).await?;
    let statuses = pod.json().await?["status"].to_string();
    ensure!(!statuses.contains("\"restartCount\":1"), "a container was restarted: {statuses}");
    Ok(())
}

async fn becomes(pod: &Pod, value: &str) -> Result<()> {
    let recovered = || async {
        let (seen, status) = (pod.file("/run/mayfly/value").await?, status(pod).await?);
        ensure!(seen == value && status["state"] == "ready", "it is {seen:?}: {status}");
        Ok(())
    };
    eventually("the recovery", PATIENCE, recovered).await
}

async fn deleted_and_destroyed_versions_are_told_apart(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "versions").await?;
    for _ in 0..3 {
        tenant.put("app").await?;
    }
    let of = |what: &str| format!("secret/{what}/{}/app", tenant.namespace.name());
    cluster.vault().write(&of("delete"), json!({"versions": [1]})).await?;
    cluster.vault().write(&of("destroy"), json!({"versions": [2]})).await?;
    let words = [("1", "deleted"), ("2", "destroyed"), ("9", "")];
    let mut sayings = vec![];
    for (version, word) in words {
        let from = format!("vault:{}?version={version}#value", tenant.path("app"));
        let (code, said) = once(&tenant, &from).await?;
        ensure!(code == Some(4) && said.contains(word), "{version}: {code:?} {said}");
        ensure!(said.contains(&tenant.path("app")), "{version}: {said}");
        sayings.push(said);
    }
    ensure!(!sayings[0].contains("destroyed") && !sayings[1].contains("deleted"), "{sayings:?}");
    ensure!(!sayings[2].contains("destroyed") && !sayings[2].contains("deleted"), "{sayings:?}");
    let from = format!("vault:{}?version=3#value", tenant.path("app"));
    let (code, said) = once(&tenant, &from).await?;
    ensure!(code == Some(0), "the third version: {code:?} {said}");
    Ok(())
}

async fn once(tenant: &Tenant<'_>, from: &str) -> Result<(Option<i32>, String)> {
    let files = json!([{"path": "value", "from": from}]);
    Machine::new(tenant, files).await?.once().await
}

/// Even where the policy would allow it.
async fn a_write_to_a_kv_store_is_refused_with_words(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "write").await?;
    tenant.put("app").await?;
    let metadata = format!("secret/metadata/{}/app", tenant.namespace.name());
    let data = format!("secret/data/{}/app", tenant.namespace.name());
    allow(&tenant, &[(&data, "update"), (&tenant.path("app"), "update")]).await?;
    for path in [tenant.path("app"), data] {
        let (code, said) = once(&tenant, &format!("vault-write:{path}?value=x#value")).await?;
        ensure!(code == Some(2) || code == Some(3), "{path}: {code:?} {said}");
        ensure!(
            said.contains("is a key-value store, to which the agent never writes"),
            "{path}: {said}"
        );
    }
    let metadata: Value = cluster.vault().read(&metadata).await?;
    ensure!(metadata["data"]["current_version"] == 1, "it was written: {metadata}");
    Ok(())
}
