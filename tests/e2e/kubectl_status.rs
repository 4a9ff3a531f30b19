//! `kubectl mayfly status` and `refresh`: agents are asked through the API server, with the rights of whoever asks.

#![expect(clippy::disallowed_methods, reason = "a kubeconfig is a file")]

use std::fs;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        line::Line,
        suite::Case,
    },
};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::{manifest::Manifest, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        fresh_stale_and_starting_pods_and_those_without_agent_are_told_apart,
        an_agent_that_may_not_be_asked_is_not_one_that_is_not_there,
        a_refresh_brings_a_new_version_at_once_and_tells_why_it_does_not,
    ]
}

/// What `status` says of the pods in a tenant's namespace, by their names.
async fn statuses(tenant: &Tenant<'_>, options: &[&str]) -> Result<Value> {
    let program = tenant.cluster.plugin().await?.args(["status", "--output=json"]).args(options);
    let output = program.output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    let pods: Vec<Value> =
        serde_json::from_slice(&output.stdout).with_context(|| said.into_owned())?;
    let here = pods.into_iter().filter(|pod| pod["namespace"] == tenant.namespace.name());
    Ok(here.map(|pod| (pod["pod"].as_str().unwrap_or_default().to_owned(), pod)).collect())
}

async fn fresh_stale_and_starting_pods_and_those_without_agent_are_told_apart(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "status").await?;
    tenant.put("app").await?;
    let (line, dead) = (Line::to_vault().await?, Line::to_vault().await?);
    dead.cut().await;
    let through = |name: &str, line: &Line| {
        tenant.vault_pod(name).annotate("vault-address", &format!("https://{}", line.address()))
    };
    tenant.run(&tenant.vault_pod("fresh")).await?;
    tenant.run(&through("stale", &line)).await?;
    tenant.run(&Manifest::plain("alone")).await?;
    tenant.namespace.apply(&through("starting", &dead).to_string()).await?;
    line.cut().await;
    let told = || async {
        let pods = statuses(&tenant, &["--all-namespaces"]).await?;
        for (pod, state) in [
            ("fresh", "ready"),
            ("stale", "stale"),
            ("starting", "starting"),
            ("alone", "no-agent"),
        ] {
            ensure!(pods[pod]["state"] == state, "{pod} is to be {state}: {pods:#}");
        }
        let error = pods["stale"]["error"].as_str().unwrap_or_default();
        ensure!(error.contains(&line.address().to_string()), "{pods:#}");
        Ok(pods)
    };
    let pods = eventually("every pod to stand as it does", PATIENCE, told).await?;
    ensure!(pods["fresh"]["mode"] == "sidecar" && pods["fresh"]["generation"] == 1, "{pods:#}");
    ensure!(pods["fresh"]["oldestSeconds"].is_u64() && pods["alone"]["mode"].is_null(), "{pods:#}");
    as_a_table(&tenant).await
}

/// The same for people, and by its exit code for scripts.
async fn as_a_table(tenant: &Tenant<'_>) -> Result<()> {
    let ask = async |pod: &str| {
        let arguments = ["status", "--output=wide", "--namespace", tenant.namespace.name(), pod];
        tenant.cluster.plugin().await?.args(arguments).output().await
    };
    let (fresh, stale) = (ask("fresh").await?, ask("stale").await?);
    let table = String::from_utf8_lossy(&stale.stdout);
    ensure!(fresh.status.code() == Some(0) && stale.status.code() == Some(2), "{table}");
    ensure!(table.lines().count() == 2 && table.contains("1 stale"), "{table}");
    Ok(())
}

/// A kubeconfig of somebody with a token and no other proof.
async fn kubeconfig(cluster: &Cluster, token: &str) -> Result<NamedTempFile> {
    let view = ["config", "view", "--raw", "--flatten", "--output=json"];
    let mut config: Value = serde_json::from_str(&cluster.kubectl(&view).await?)?;
    config["users"][0]["user"] = json!({"token": token});
    let file = NamedTempFile::new()?;
    fs::write(file.path(), config.to_string())?;
    Ok(file)
}

async fn an_agent_that_may_not_be_asked_is_not_one_that_is_not_there(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "onlooker").await?;
    tenant.put("app").await?;
    tenant.run(&tenant.vault_pod("web")).await?;
    tenant.run(&Manifest::plain("alone")).await?;
    let name = tenant.namespace.name();
    tenant.namespace.service_account("onlooker").await?;
    let subject = format!("--serviceaccount={name}:onlooker");
    let view = ["create", "rolebinding", "onlooker", "--clusterrole=view", &subject];
    tenant.namespace.kubectl(&view).await?;
    let file = kubeconfig(cluster, &tenant.namespace.token("onlooker", None).await?).await?;
    let path = file.path().display().to_string();
    let pods = statuses(&tenant, &["--kubeconfig", &path, "--namespace", name]).await?;
    ensure!(pods["web"]["state"] == "not-allowed", "{pods:#}");
    ensure!(pods["web"]["mode"] == "sidecar" && pods["alone"]["state"] == "no-agent", "{pods:#}");
    let refresh = ["refresh", "web", "--kubeconfig", &path, "--namespace", name];
    let output = cluster.plugin().await?.args(refresh).output().await?;
    let words = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.code() == Some(2) && words.contains("not allowed to you"), "{words}");
    Ok(())
}

async fn a_refresh_brings_a_new_version_at_once_and_tells_why_it_does_not(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "refresh").await?;
    tenant.put("app").await?;
    let line = Line::to_vault().await?;
    let manifest = tenant
        .vault_pod("web")
        .label("app", "web")
        .annotate("refresh", "1h")
        .annotate("vault-address", &format!("https://{}", line.address()));
    let pod = tenant.run(&manifest).await?;
    let new = tenant.put("app").await?;
    let refresh = async |which: &[&str]| {
        let program =
            cluster.plugin().await?.args(["refresh", "--namespace", tenant.namespace.name()]);
        program.args(which.iter().copied()).output().await
    };
    let output = refresh(&["--selector=app=web"]).await?;
    let words = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && words.contains("everything is fresh"), "{words}");
    ensure!(pod.file("/run/mayfly/value").await? == new, "the new version has not come");
    line.cut().await;
    let output = refresh(&["web"]).await?;
    let words = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.code() == Some(2) && words.contains("not all is fresh"), "{words}");
    ensure!(pod.file("/run/mayfly/value").await? == new, "the files did not stay");
    Ok(())
}
