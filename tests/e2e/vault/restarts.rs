//! An agent that is killed again and again: its token and its leases survive in a folder of its own, and do not pile up.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, suite::Case},
};
use serde_json::json;

use super::{
    app::ROLE,
    machine::Machine,
    sessions::{self, allow},
};
use crate::{canary, database::Database, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![an_agent_that_is_killed_again_and_again_has_one_lease]
}

async fn an_agent_that_is_killed_again_and_again_has_one_lease(cluster: &Cluster) -> Result<()> {
    let restarts = if cluster.soak() { 200 } else { 25 };
    let tenant = Tenant::new(cluster, "restarts").await?;
    let database = Database::mount(cluster, tenant.namespace.name()).await?;
    database.role(ROLE, "1h", "2h").await?;
    let path = database.path(ROLE);
    allow(&tenant, &[(&path, "read")]).await?;
    let file = |name: &str| json!({"path": name, "from": format!("vault:{path}#{name}")});
    let machine = Machine::new(&tenant, json!([file("username"), file("password")])).await?;
    drop(machine.run().await?);
    let user = machine.file("username")?;
    canary::remember(&machine.file("password")?);
    for restart in 0..restarts {
        drop(machine.run().await?);
        let now = machine.file("username")?;
        ensure!(now == user, "after {restart} restarts {user} has become {now}");
    }
    let leases = database.leases(ROLE).await?;
    ensure!(leases.len() == 1, "{restarts} restarts have left {} leases", leases.len());
    let tokens = sessions::of(cluster, tenant.namespace.name()).await?;
    ensure!(tokens.len() == 1, "{restarts} restarts have left {} tokens", tokens.len());
    let seen = database.postgres.sql_as(&user, &machine.file("password")?, "select 1").await?;
    ensure!(seen == "1", "PostgreSQL answers {seen}");
    cluster.vault().delete(&format!("sys/mounts/{}", database.mount)).await
}
