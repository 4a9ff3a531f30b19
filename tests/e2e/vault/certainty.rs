//! Vault says no, or says nothing that is known: only the first ends a token, a lease or a file.

use std::time::Duration;

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
    app::{ROLE, asking_for_a_user},
    sessions::{self, allow},
};
use crate::{
    database::Database,
    tenant::{Tenant, status},
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_role_without_the_policy_default_has_one_login_and_one_lease,
        a_static_role_is_followed_within_seconds,
    ]
}

/// It may neither ask about its token nor about its lease, and nothing else is refused to it less.
async fn a_role_without_the_policy_default_has_one_login_and_one_lease(
    cluster: &Cluster,
) -> Result<()> {
    let hold = if cluster.soak() { Duration::from_mins(10) } else { Duration::from_secs(20) };
    let tenant = Tenant::new(cluster, "no-default").await?;
    let role = format!("auth/kubernetes/role/{}", tenant.namespace.name());
    cluster.vault().write(&role, json!({"token_no_default_policy": true})).await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    database.role(ROLE, "1h", "2h").await?;
    allow(&tenant, &[(&database.path(ROLE), "read")]).await?;
    let manifest = asking_for_a_user(&tenant, &database).annotate("refresh", "1s");
    let pod = tenant.run(&manifest).await?;
    let user = pod.file("/run/mayfly/username").await?;
    let end = Instant::now() + hold;
    while Instant::now() < end {
        let tokens = sessions::of(cluster, tenant.namespace.name()).await?.len();
        let leases = database.leases(ROLE).await?.len();
        ensure!((tokens, leases) == (1, 1), "there are {tokens} tokens and {leases} leases");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let (after, status) = (pod.file("/run/mayfly/username").await?, status(&pod).await?);
    ensure!(after == user && status["state"] == "ready", "{user} became {after}: {status}");
    Ok(())
}

/// Vault rotates on a tick of its own, after the time that it tells.
async fn a_static_role_is_followed_within_seconds(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "static-role").await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    let user = format!("static-{}", tenant.namespace.name());
    database.postgres.sql(&format!("create role \"{user}\" login password 'first'")).await?;
    let role = json!({"db_name": "postgresql", "username": user, "rotation_period": "7s"});
    cluster.vault().write(&format!("{}/static-roles/web", database.mount), role).await?;
    let path = format!("{}/static-creds/web", database.mount);
    allow(&tenant, &[(&path, "read")]).await?;
    let manifest = tenant
        .asking("web")
        .annotate("refresh", "5m")
        .annotate("file.password", &format!("vault:{path}#password"));
    let pod = tenant.run(&manifest).await?;
    let first = pod.file("/run/mayfly/password").await?;
    for rotation in 1..=3 {
        let followed = || async {
            let seen = pod.file("/run/mayfly/password").await?;
            let there = cluster.vault().read(&path).await?;
            let is_new = seen != first || rotation > 1;
            ensure!(is_new && there["data"]["password"] == seen, "rotation {rotation} is not seen");
            database.postgres.sql_as(&user, &seen, "select 1").await.map(drop)
        };
        eventually("the rotated password", PATIENCE, followed).await?;
        tokio::time::sleep(Duration::from_secs(8)).await;
    }
    Ok(())
}
