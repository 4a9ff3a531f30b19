//! Credentials of a real database: one read for user and password, renewed while they may be, replaced before they end
//! while the old ones still work, and given back when the pod ends.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        suite::Case,
    },
};
use serde_json::json;

use super::{
    app::{App, ROLE, asking_for_a_user},
    sessions::{self, allow},
};
use crate::{
    canary,
    database::Database,
    host::{agent_is_back, kill},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        database_users_change_under_an_app_without_a_failed_query,
        a_lease_is_renewed_for_as_long_as_it_may_be,
        leases_and_token_are_given_back_when_the_pod_ends,
        an_agent_that_dies_in_its_pod_goes_on_with_its_lease,
    ]
}

async fn database_users_change_under_an_app_without_a_failed_query(
    cluster: &Cluster,
) -> Result<()> {
    let (wanted, limit) =
        if cluster.soak() { (40, Duration::from_mins(15)) } else { (5, 2 * PATIENCE) };
    let tenant = Tenant::new(cluster, "database").await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    database.role(ROLE, "6s", "12s").await?;
    let app = App::run(&tenant, &database).await?;
    app.has_had(wanted, limit).await?;
    app.has_never_failed().await?;
    // The newest one and those whose time is not over yet.
    let leases = database.leases(ROLE).await?.len();
    ensure!((1..=3).contains(&leases), "there are {leases} leases");
    let first = app.users().await?.swap_remove(0);
    let ended = || async {
        ensure!(!exists(&database, &first).await?, "{first} is still there");
        Ok(())
    };
    eventually("the first user to end", PATIENCE, ended).await
}

async fn exists(database: &Database, user: &str) -> Result<bool> {
    let count = format!("select count(*) from pg_roles where rolname = '{user}'");
    Ok(database.postgres.sql(&count).await? == "1")
}

async fn a_lease_is_renewed_for_as_long_as_it_may_be(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "renewal").await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    database.role(ROLE, "6s", "1h").await?;
    let app = App::run(&tenant, &database).await?;
    let [lease] = &*database.leases(ROLE).await? else { anyhow::bail!("not one lease") };
    let lease = json!({"lease_id": format!("{}/{lease}", database.path(ROLE))});
    let issued = cluster.vault().write("sys/leases/lookup", lease.clone()).await?;
    let renewed = || async {
        let now = cluster.vault().write("sys/leases/lookup", lease.clone()).await?;
        let age = seconds(&now["data"]["expire_time"])? - seconds(&issued["data"]["issue_time"])?;
        ensure!(age > 4 * 6, "it was to live for {age} s: {now}");
        Ok(())
    };
    eventually("the lease to outlive its time four times", PATIENCE, renewed).await?;
    app.has_never_failed().await?;
    let users = app.users().await?;
    ensure!(users.len() == 1 && database.leases(ROLE).await?.len() == 1, "it has had {users:?}");
    Ok(())
}

/// The seconds of a day of Vault's timestamps; a test that runs over midnight waits a little longer.
fn seconds(time: &serde_json::Value) -> Result<i64> {
    let clock = time.as_str().and_then(|time| time.split_once('T')?.1.get(..8));
    let clock = clock.with_context(|| format!("{time} is no time"))?;
    clock.split(':').try_fold(0, |sum, part| Ok(sum * 60 + part.parse::<i64>()?))
}

async fn leases_and_token_are_given_back_when_the_pod_ends(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "giving-back").await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    database.role(ROLE, "1h", "2h").await?;
    allow(&tenant, &[(&database.path(ROLE), "read")]).await?;
    let pod = tenant.run(&asking_for_a_user(&tenant, &database)).await?;
    let user = pod.file("/run/mayfly/username").await?;
    canary::remember(&pod.file("/run/mayfly/password").await?);
    ensure!(exists(&database, &user).await?, "there is no {user}");
    let (leases, tokens) = held(&tenant, &database).await?;
    ensure!((leases, tokens) == (1, 1), "it has {leases} leases and {tokens} tokens");
    pod.delete().await?;
    // They would live for an hour.
    let given_back = || async {
        let (leases, tokens) = held(&tenant, &database).await?;
        ensure!((leases, tokens) == (0, 0), "{leases} leases and {tokens} tokens are left");
        ensure!(!exists(&database, &user).await?, "{user} is still there");
        Ok(())
    };
    eventually("the lease and the token to end", Duration::from_secs(20), given_back).await
}

/// The number of leases and of tokens.
async fn held(tenant: &Tenant<'_>, database: &Database) -> Result<(usize, usize)> {
    let leases = database.leases(ROLE).await?.len();
    Ok((leases, sessions::of(tenant.cluster, tenant.namespace.name()).await?.len()))
}

async fn an_agent_that_dies_in_its_pod_goes_on_with_its_lease(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "death").await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    database.role(ROLE, "1h", "2h").await?;
    allow(&tenant, &[(&database.path(ROLE), "read")]).await?;
    let pod = tenant.run(&asking_for_a_user(&tenant, &database)).await?;
    let before = pod.file("/run/mayfly/username").await?;
    kill(cluster, &pod, "mayfly-agent").await?;
    agent_is_back(&pod).await?;
    let after = pod.file("/run/mayfly/username").await?;
    ensure!(before == after, "{before} became {after}");
    let (leases, tokens) = held(&tenant, &database).await?;
    ensure!((leases, tokens) == (1, 1), "it has {leases} leases and {tokens} tokens");
    pod.delete().await?;
    let given_back = || async {
        let (leases, tokens) = held(&tenant, &database).await?;
        ensure!((leases, tokens) == (0, 0), "{leases} leases and {tokens} tokens are left");
        Ok(())
    };
    eventually("what the first agent had to end", Duration::from_secs(20), given_back).await
}
