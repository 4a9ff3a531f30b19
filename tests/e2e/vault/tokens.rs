//! Tokens end: at their longest life, by an administrator, or because their role is gone. The files stay good.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        suite::Case,
    },
};
use serde_json::json;
use tokio::time::Instant;

use super::{
    app::{App, ROLE},
    sessions::{self, tokens_live},
};
use crate::{
    database::Database,
    tenant::{Tenant, status},
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        tokens_that_may_not_be_renewed_any_more_leave_no_gap,
        a_token_that_an_administrator_revokes_is_replaced,
        a_role_that_is_removed_and_given_back,
    ]
}

/// Leases end with their token, so a login has to come with new users while the old token lives.
async fn tokens_that_may_not_be_renewed_any_more_leave_no_gap(cluster: &Cluster) -> Result<()> {
    let (ttl, max_ttl, wanted, least) = if cluster.soak() {
        ("15s", "30s", 20, Duration::from_mins(10))
    } else {
        ("8s", "16s", 4, Duration::ZERO)
    };
    let tenant = Tenant::new(cluster, "max-ttl").await?;
    tokens_live(&tenant, ttl, max_ttl).await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    database.role(ROLE, "1h", "2h").await?;
    let app = App::run(&tenant, &database).await?;
    let (mut tokens, begun) = (BTreeSet::new(), Instant::now());
    while tokens.len() < wanted || begun.elapsed() < least {
        ensure!(begun.elapsed() < 2 * PATIENCE + least, "there were only {tokens:?}");
        tokens.extend(sessions::of(cluster, tenant.namespace.name()).await?);
        let state = status(&app.pod).await?;
        ensure!(state["state"] == "ready", "after {} tokens: {state}", tokens.len());
    }
    app.has_never_failed().await?;
    // The newest token, and the one before it until its end; and a user of each.
    let left = sessions::of(cluster, tenant.namespace.name()).await?.len();
    let leases = database.leases(ROLE).await?.len();
    ensure!(left <= 2 && leases <= 2, "{left} tokens and {leases} leases are left");
    Ok(())
}

async fn a_token_that_an_administrator_revokes_is_replaced(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "revoked").await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    database.role(ROLE, "1h", "2h").await?;
    let app = App::run(&tenant, &database).await?;
    let [accessor] = &*sessions::of(cluster, tenant.namespace.name()).await? else {
        anyhow::bail!("not one token");
    };
    cluster.vault().write("auth/token/revoke-accessor", json!({"accessor": accessor})).await?;
    // Its user has ended with it.
    app.has_had(2, PATIENCE).await?;
    let user = app.pod.file("/run/mayfly/username").await?;
    let password = app.pod.file("/run/mayfly/password").await?;
    let seen = database.postgres.sql_as(&user, &password, "select current_user").await?;
    ensure!(seen == user, "PostgreSQL takes {user} for {seen}");
    let tokens = sessions::of(cluster, tenant.namespace.name()).await?;
    ensure!(tokens.len() == 1 && tokens[0] != *accessor, "the tokens are {tokens:?}");
    Ok(())
}

async fn a_role_that_is_removed_and_given_back(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "no-role").await?;
    tokens_live(&tenant, "5s", "5s").await?;
    let old = tenant.put("app").await?;
    let pod = tenant.run(&tenant.vault_pod("web")).await?;
    let path = format!("auth/kubernetes/role/{}", tenant.namespace.name());
    let mut role = cluster.vault().read(&path).await?["data"].take();
    cluster.vault().delete(&path).await?;
    let new = tenant.put("app").await?;
    let told = || async {
        let status = status(&pod).await?;
        let text = status.to_string();
        ensure!(status["state"] == "stale" && text.contains("role"), "the status is {text}");
        Ok(())
    };
    eventually("the status to tell of the role", PATIENCE, told).await?;
    let seen = pod.file("/run/mayfly/value").await?;
    ensure!(seen == old || seen == new, "the file holds {seen:?}");
    let newer = tenant.put("app").await?;
    role["token_ttl"] = json!("10m");
    role["token_max_ttl"] = json!("1h");
    cluster.vault().write(&path, role).await?;
    let recovered = || async {
        let (seen, state) = (pod.file("/run/mayfly/value").await?, status(&pod).await?);
        ensure!(seen == newer && state["state"] == "ready", "the file holds {seen:?}: {state}");
        Ok(())
    };
    eventually("the recovery", PATIENCE, recovered).await?;
    let statuses = pod.json().await?["status"].to_string();
    ensure!(!statuses.contains("\"restartCount\":1"), "a container was restarted: {statuses}");
    Ok(())
}
