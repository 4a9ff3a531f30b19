//! Vault's audit log says who read what: with the line that the README gives, on the log of the real Vault.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        folders,
        program::Program,
        suite::Case,
    },
};

use serde_json::json;

use super::sessions::tokens_live;
use crate::tenant::Tenant;

pub(crate) fn cases() -> Vec<Case> {
    cases![the_audit_log_tells_which_pod_read_what_and_was_refused_what]
}

async fn the_audit_log_tells_which_pod_read_what_and_was_refused_what(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "audited").await?;
    let value = tenant.put("app").await?;
    tokens_live(&tenant, "5s", "5s").await?;
    let pod = tenant.run(&tenant.vault_pod("web")).await?;
    let json = pod.json().await?;
    let address = json["status"]["podIP"].as_str().context("a pod has an address")?;
    let name = tenant.namespace.name();
    let who = format!("{name}\tdefault\t{address}\tread\tsecret/data/{name}/app");
    tells(cluster, &format!("{who}\tok")).await?;
    let nothing = json!({"policy": r#"path "secret/data/none" { capabilities = ["read"] }"#});
    cluster.vault().write(&format!("sys/policies/acl/{name}"), nothing).await?;
    tells(cluster, &format!("{who}\t1 error occurred: * permission denied")).await?;
    // A login that is refused has no account yet, but the pod's address.
    let role = format!("auth/kubernetes/role/{name}");
    cluster.vault().delete(&role).await?;
    let login = format!("-\t-\t{address}\tupdate\tauth/kubernetes/login\tinvalid role name");
    tells(cluster, &login).await?;
    let log = folders::read(&cluster.lab().folders.vault_audit_log())?;
    ensure!(!log.contains(&value), "the audit log holds the secret");
    is_known(&tenant).await
}

/// Waits until the README's line prints a line that has this in it.
async fn tells(cluster: &Cluster, wanted: &str) -> Result<()> {
    let told = || async {
        let told = readme_line(cluster).await?;
        ensure!(told.contains(wanted), "{wanted:?} is not in {told}");
        Ok(())
    };
    eventually("the audit log", PATIENCE, told).await
}

/// What the README has people type, where the log is.
async fn readme_line(cluster: &Cluster) -> Result<String> {
    let readme = folders::read(&folders::checkout().join("README.md"))?;
    let (_, section) = readme.split_once("### Who read what in Vault").context("the section")?;
    let (_, line) = section.split_once("```sh\n").context("a line to type")?;
    let (line, _) = line.split_once("```").context("its end")?;
    let line = line.to_owned();
    Program::new("sh").args(["-c", &line]).folder(cluster.lab().folders.logs()).text().await
}

/// The entity that the log names has the service account's uid.
async fn is_known(tenant: &Tenant<'_>) -> Result<()> {
    let account = ["get", "serviceaccount", "default", "--output=jsonpath={.metadata.uid}"];
    let uid = tenant.namespace.kubectl(&account).await?;
    let vault = tenant.cluster.vault();
    let mount = vault.read("sys/auth/kubernetes").await?["data"]["accessor"].take();
    let ask = json!({"alias_name": uid, "alias_mount_accessor": mount});
    let entity = vault.write("identity/lookup/entity", ask).await?;
    let metadata = &entity["data"]["aliases"][0]["metadata"];
    ensure!(metadata["service_account_namespace"] == tenant.namespace.name(), "{entity}");
    ensure!(metadata["service_account_uid"] == *uid, "{entity}");
    Ok(())
}
