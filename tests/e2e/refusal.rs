//! A pod may not, or cannot: it stays closed, and `kubectl describe pod` says why.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        suite::Case,
    },
};

use crate::{manifest::Manifest, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_role_that_is_not_there,
        a_role_of_another_namespace,
        a_secret_that_the_role_may_not_read,
        a_secret_that_is_not_there,
        a_key_that_is_not_there,
        an_aws_role_that_does_not_trust_the_pod,
        an_aws_secret_that_is_not_there,
    ]
}

/// The app does not start, and the agent's last state tells all of `words`, under the exit code.
async fn stays_closed(
    tenant: &Tenant<'_>,
    manifest: &Manifest,
    code: u8,
    words: &[&str],
) -> Result<()> {
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    let told = || async {
        let described = pod.describe().await?;
        let state = described.split("Last State:").nth(1).unwrap_or_default();
        ensure!(
            state.contains(&format!("Exit Code:    {code}")),
            "no exit code {code}: {described}"
        );
        let missing: Vec<_> = words.iter().filter(|word| !state.contains(**word)).collect();
        ensure!(missing.is_empty(), "{missing:?} is not in: {described}");
        Ok(())
    };
    eventually("`kubectl describe pod` to tell the reason", PATIENCE, told).await?;
    let app = &pod.json().await?["status"]["containerStatuses"][0];
    ensure!(app["state"]["waiting"].is_object(), "the app is {app}");
    Ok(())
}

async fn a_role_that_is_not_there(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "no-role").await?;
    tenant.put("app").await?;
    let manifest = tenant.vault_pod("web").annotate("vault-role", "no-such-role");
    stays_closed(&tenant, &manifest, 3, &["no-such-role"]).await
}

async fn a_role_of_another_namespace(cluster: &Cluster) -> Result<()> {
    let (tenant, other) =
        (Tenant::new(cluster, "here").await?, Tenant::new(cluster, "there").await?);
    other.put("app").await?;
    let role = other.namespace.name();
    let manifest = other.vault_pod("web").annotate("vault-role", role);
    stays_closed(&tenant, &manifest, 3, &[role, "namespace"]).await
}

async fn a_secret_that_the_role_may_not_read(cluster: &Cluster) -> Result<()> {
    let (tenant, other) =
        (Tenant::new(cluster, "here").await?, Tenant::new(cluster, "there").await?);
    other.put("app").await?;
    let path = other.path("app");
    let manifest = tenant.asking("web").annotate("file.value", &format!("vault:{path}#value"));
    stays_closed(
        &tenant,
        &manifest,
        3,
        &[tenant.namespace.name(), &path.replace("secret/", "secret/data/")],
    )
    .await
}

async fn a_secret_that_is_not_there(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "no-secret").await?;
    stays_closed(&tenant, &tenant.vault_pod("web"), 4, &[&tenant.path("app")]).await
}

async fn a_key_that_is_not_there(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "no-key").await?;
    tenant.put("app").await?;
    let reference = format!("vault:{}#valeu", tenant.path("app"));
    let manifest = tenant.asking("web").annotate("file.value", &reference);
    stays_closed(&tenant, &manifest, 4, &["valeu", "value"]).await
}

async fn an_aws_role_that_does_not_trust_the_pod(cluster: &Cluster) -> Result<()> {
    let (tenant, other) =
        (Tenant::new(cluster, "here").await?, Tenant::new(cluster, "there").await?);
    other.create("db").await?;
    let manifest = tenant
        .asking("web")
        .annotate("aws-role-arn", &other.role)
        .annotate("file.value", &format!("aws-sm:{}", other.id("db")));
    stays_closed(&tenant, &manifest, 3, &[&other.role]).await
}

async fn an_aws_secret_that_is_not_there(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "no-secret").await?;
    let id = tenant.id("db");
    let manifest = tenant
        .asking("web")
        .annotate("aws-role-arn", &tenant.role)
        .annotate("file.value", &format!("aws-sm:{id}"));
    stays_closed(&tenant, &manifest, 4, &[&id]).await
}
