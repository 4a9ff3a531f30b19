//! A database engine of Vault's for one test, with the lab's PostgreSQL behind it.

use anyhow::Result;
use mayfly_tests::lab::{
    addresses::{HOST, POSTGRES_PORT},
    cluster::Cluster,
    postgres::{DATABASE, Postgres, SUPERUSER},
    vault::Vault,
};
use serde_json::json;

/// What a new user may: log in until its lease ends.
const CREATE: &str =
    r#"CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"#;

/// A mount of the database engine.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) mount: String,
    pub(crate) postgres: Postgres,
    vault: Vault,
}

impl Database {
    /// Mounts one for a namespace in the lab's Vault.
    pub(crate) async fn mount(cluster: &Cluster, namespace: &str) -> Result<Self> {
        let (postgres, vault) = (cluster.postgres().await?, cluster.vault().clone());
        let mount = format!("database-{namespace}");
        vault.write(&format!("sys/mounts/{mount}"), json!({"type": "database"})).await?;
        let access = format!("{HOST}:{POSTGRES_PORT}/{DATABASE}?sslmode=disable");
        let config = json!({
            "plugin_name": "postgresql-database-plugin", "allowed_roles": ["*"],
            "connection_url": format!("postgresql://{{{{username}}}}:{{{{password}}}}@{access}"),
            "username": SUPERUSER, "password": postgres.password(),
        });
        vault.write(&format!("{mount}/config/postgresql"), config).await?;
        Ok(Self { mount, postgres, vault })
    }

    /// Makes a role whose users live for `ttl`, and renewed for at most `max_ttl`.
    pub(crate) async fn role(&self, name: &str, ttl: &str, max_ttl: &str) -> Result<()> {
        let role = json!({
            "db_name": "postgresql", "creation_statements": [CREATE],
            "default_ttl": ttl, "max_ttl": max_ttl,
        });
        self.vault.write(&format!("{}/roles/{name}", self.mount), role).await.map(drop)
    }

    /// Where a role's users are read, for references and policies.
    pub(crate) fn path(&self, role: &str) -> String {
        format!("{}/creds/{role}", self.mount)
    }

    /// The leases of a role that there are.
    pub(crate) async fn leases(&self, role: &str) -> Result<Vec<String>> {
        self.vault.list(&format!("sys/leases/lookup/{}", self.path(role))).await
    }
}
