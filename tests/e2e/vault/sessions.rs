//! A tenant's side of Vault: what its role may, how long its tokens live, and which of them there are.

use anyhow::Result;
use mayfly_tests::lab::cluster::Cluster;
use serde_json::{Value, json};

use crate::tenant::Tenant;

/// Lets a tenant's role do more than read its own secrets: paths, and what may be done with each.
pub(super) async fn allow(tenant: &Tenant<'_>, rules: &[(&str, &str)]) -> Result<()> {
    let name = tenant.namespace.name();
    let own = format!("secret/data/{name}/*");
    let rules = rules.iter().copied().chain([(&*own, "read")]);
    let rule = |(path, may)| format!("path \"{path}\" {{ capabilities = [\"{may}\"] }}");
    let policy = rules.map(rule).collect::<Vec<_>>().join("\n");
    let path = format!("sys/policies/acl/{name}");
    tenant.cluster.vault().write(&path, json!({"policy": policy})).await.map(drop)
}

/// Changes how long the tokens of a tenant's role live.
pub(super) async fn tokens_live(tenant: &Tenant<'_>, ttl: &str, max_ttl: &str) -> Result<()> {
    let path = format!("auth/kubernetes/role/{}", tenant.namespace.name());
    let role = json!({"token_ttl": ttl, "token_max_ttl": max_ttl});
    tenant.cluster.vault().write(&path, role).await.map(drop)
}

/// The accessors of all tokens that there are for pods of a namespace.
pub(super) async fn of(cluster: &Cluster, namespace: &str) -> Result<Vec<String>> {
    let mut found = vec![];
    for accessor in cluster.vault().list("auth/token/accessors").await? {
        let ask = json!({"accessor": accessor});
        // One that has ended since is none.
        let token = cluster.vault().write("auth/token/lookup-accessor", ask).await;
        let token = token.unwrap_or(Value::Null);
        if token["data"]["meta"]["service_account_namespace"] == namespace {
            found.push(accessor);
        }
    }
    Ok(found)
}
