//! `kubectl mayfly explain` prints a policy and a role: Vault takes both as they are, and a pod needs nothing more.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, condition::PATIENCE, install, program::Program, suite::Case},
};
use serde_json::Value;

use super::{app::asking_for_a_user, certificates::authority, sessions};
use crate::{database::Database, manifest::Manifest, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![the_policy_and_role_that_are_explained_are_enough]
}

async fn the_policy_and_role_that_are_explained_are_enough(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "explained").await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    // Short enough that the pod has to renew its lease to keep its user.
    database.role(super::app::ROLE, "6s", "1h").await?;
    let mount = authority(&tenant).await?;
    let value = tenant.put("app").await?;
    let role = format!("{}-explained", tenant.namespace.name());
    let issue = format!("vault-write:{mount}/issue/web?common_name=web.default.svc&ttl=1h");
    let manifest = asking_for_a_user(&tenant, &database)
        .annotate("vault-role", &role)
        .annotate("file.value", &format!("vault:{}#value", tenant.path("app")))
        .annotate("file.tls.crt", &format!("{issue}#certificate"))
        .annotate("file.tls.key", &format!("{issue}#private_key"));
    let explained = explain(&tenant, &manifest).await?;
    let [access] = explained["vault"].as_array().context("roles")?.as_slice() else {
        anyhow::bail!("not one role: {explained}")
    };
    let text = |field: &str| access[field].as_str().with_context(|| format!("{field}: {access}"));
    vault(cluster, &format!("vault policy write {role} -"), text("policy")?).await?;
    vault(cluster, text("command")?, "").await?;
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value, "the file holds something else");
    ensure!(pod.file("/run/mayfly/tls.key").await?.contains("PRIVATE KEY"), "there is no key");
    let user = pod.file("/run/mayfly/username").await?;
    is_renewed(&tenant, &database).await?;
    ensure!(pod.file("/run/mayfly/username").await? == user, "the lease was not renewed");
    pod.delete().await?;
    let left = sessions::of(cluster, tenant.namespace.name()).await?;
    ensure!(left.is_empty(), "the policy does not allow the agent to end its token");
    Ok(())
}

async fn explain(tenant: &Tenant<'_>, manifest: &Manifest) -> Result<Value> {
    let config = install::overlay(tenant.cluster.lab()).join("config.yaml");
    let explain = ["explain", "--file=-", "--output=json", "--namespace"];
    let program = tenant.cluster.plugin().await?.args(explain).args([tenant.namespace.name()]);
    let program = program.args(["--config"]).args([config]).input(manifest.to_string());
    serde_json::from_str(&program.text().await?).context("read the explanation")
}

/// Types a line for Vault's own command line, as its operator.
async fn vault(cluster: &Cluster, line: &str, input: &str) -> Result<()> {
    let lab = cluster.lab();
    let folder = lab.tools.vault().path().parent().context("a program has a folder")?.to_owned();
    let path = format!("PATH={}:$PATH; {line}", folder.display());
    Program::new("sh")
        .args(["-c", &path])
        .env("VAULT_ADDR", cluster.vault().address())
        .env("VAULT_CACERT", lab.pki().authority_certificate())
        .env("VAULT_TOKEN", cluster.vault().token())
        .input(input)
        .text()
        .await
        .map(drop)
}

async fn is_renewed(tenant: &Tenant<'_>, database: &Database) -> Result<()> {
    let [lease] = &*database.leases(super::app::ROLE).await? else {
        anyhow::bail!("not one lease")
    };
    let lease = format!("{}/{lease}", database.path(super::app::ROLE));
    let renewed = || async {
        let ask = serde_json::json!({"lease_id": lease});
        let now = tenant.cluster.vault().write("sys/leases/lookup", ask).await?;
        ensure!(now["data"]["last_renewal"].is_string(), "it was never renewed: {now}");
        Ok(())
    };
    mayfly_tests::lab::condition::eventually("the lease to be renewed", PATIENCE, renewed).await
}
