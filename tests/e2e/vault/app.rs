//! An application that lives by its files: it reads a user and a password, asks the database, and does so again.

use anyhow::{Context, Result, ensure};
use mayfly_tests::lab::{
    addresses::{HOST, POSTGRES_PORT},
    condition::eventually,
    images,
    pod::Pod,
    postgres::DATABASE,
};
use serde_json::json;

use super::sessions::allow;
use crate::{
    database::Database,
    manifest::Manifest,
    tenant::{Tenant, status},
};

/// The role of the database engine that it has its users from.
pub(super) const ROLE: &str = "web";

/// Each round opens the generation once, for a user and a password that belong together, and logs in anew. The password
/// goes to psql by a file in memory, never by a command line or the environment.
const QUERIES: &str = r#"
    umask 077; n=0; last=
    while ! test -e /work/stop; do
        cd -P /run/mayfly/..data || { echo "no generation" >>/work/faults; continue; }
        u=$(cat username) && p=$(cat password) || { test -e username || { cd /; continue; }; echo missing >>/work/faults; }
        echo "*:*:*:*:$p" >/work/pass
        psql --no-psqlrc --quiet --no-password --host HOST --port PORT --username "$u" --command 'select 1' DATABASE \
            >/dev/null 2>>/work/faults || echo "failed as $u" >>/work/faults
        test "$u" = "$last" || { echo "$u" >>/work/users; last=$u; }
        n=$((n+1)); echo $n >/work/queries
        sleep 0.1
    done
    trap exit TERM; sleep 3600 & wait
"#;

/// The application at work.
#[derive(Debug)]
pub(super) struct App {
    pub(super) pod: Pod,
}

impl App {
    /// Starts it with users of a tenant's database engine.
    pub(super) async fn run(tenant: &Tenant<'_>, database: &Database) -> Result<Self> {
        images::import_psql(tenant.cluster.lab(), &database.postgres.psql()).await?;
        allow(tenant, &[(&database.path(ROLE), "read")]).await?;
        let script = QUERIES
            .replace("HOST", HOST)
            .replace("PORT", &POSTGRES_PORT.to_string())
            .replace("DATABASE", DATABASE);
        let work = json!([{"name": "work", "mountPath": "/work"}]);
        let manifest = asking_for_a_user(tenant, database)
            .spec("volumes", json!([{"name": "work", "emptyDir": {"medium": "Memory"}}]))
            .app("volumeMounts", work)
            .app("image", json!(images::PSQL))
            .app("env", json!([{"name": "PGPASSFILE", "value": "/work/pass"}]))
            .script(&script);
        Ok(Self { pod: tenant.run(&manifest).await? })
    }

    /// The users that it has worked as, in their order.
    pub(super) async fn users(&self) -> Result<Vec<String>> {
        let users = self.pod.exec(&["sh", "-c", "cat /work/users 2>/dev/null || true"]).await?;
        Ok(users.lines().map(Into::into).collect())
    }

    /// Waits until it has worked as so many users.
    pub(super) async fn has_had(&self, wanted: usize, limit: std::time::Duration) -> Result<()> {
        let had = || async {
            let users = self.users().await?;
            ensure!(users.len() >= wanted, "it has had {users:?}; {}", status(&self.pod).await?);
            Ok(())
        };
        eventually("another user", limit, had).await
    }

    /// Stops it; fails if any of its queries has failed, or it was not at work.
    pub(super) async fn has_never_failed(&self) -> Result<()> {
        let faults = "touch /work/stop; cat /work/faults 2>/dev/null || true";
        let faults = self.pod.exec(&["sh", "-c", faults]).await?;
        let queries: usize =
            self.pod.file("/work/queries").await?.trim().parse().context("a number")?;
        let users = self.users().await?;
        ensure!(faults.is_empty(), "of {queries} queries as {users:?}: {faults}");
        ensure!(queries > users.len() * 5, "only {queries} queries as {users:?}");
        let statuses = self.pod.json().await?["status"].to_string();
        ensure!(!statuses.contains("\"restartCount\":1"), "a container was restarted: {statuses}");
        Ok(())
    }
}

/// A pod with the files `username` and `password`, from one answer of the database engine.
pub(super) fn asking_for_a_user(tenant: &Tenant<'_>, database: &Database) -> Manifest {
    let path = database.path(ROLE);
    tenant
        .asking("web")
        .annotate("file.username", &format!("vault:{path}#username"))
        .annotate("file.password", &format!("vault:{path}#password"))
}
