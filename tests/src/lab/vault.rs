//! Vault: the server over TLS with its data in memory, and what tests tell it, as root.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::{
    addresses::{API_SERVER, VAULT, VAULT_LISTENER},
    condition::{PATIENCE, eventually},
    control_plane::flag,
    folders,
    launch::Lab,
};

/// Where the root token is, below the cluster's folder.
pub const TOKEN_FILE: &str = "vault-token";

/// Vault, as its operator sees it.
#[derive(Debug, Clone)]
pub struct Vault {
    http: Client,
    token: String,
}

impl Vault {
    /// The running Vault of a lab.
    pub fn of(lab: &Lab) -> Result<Self> {
        let token = folders::read(&lab.folders.cluster().join(TOKEN_FILE))?;
        Ok(Self { http: lab.http()?, token })
    }

    /// Its address, for pods and tests alike.
    pub fn address(&self) -> &'static str {
        VAULT
    }

    /// The root token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Puts a secret into the KV store: `put("secret/app", json!({"password": "…"}))`, as `vault kv put` does.
    pub async fn put(&self, path: &str, data: Value) -> Result<()> {
        let path =
            path.strip_prefix("secret/").context("the lab's KV store is mounted at `secret/`")?;
        self.write(&format!("secret/data/{path}"), json!({ "data": data })).await.map(drop)
    }

    /// Removes a secret with all its versions.
    pub async fn remove(&self, path: &str) -> Result<()> {
        let path =
            path.strip_prefix("secret/").context("the lab's KV store is mounted at `secret/`")?;
        self.request(Method::DELETE, &format!("secret/metadata/{path}"), None).await.map(drop)
    }

    /// Lets a service account log in under a role, with a policy of the same name.
    pub async fn role(
        &self,
        name: &str,
        namespace: &str,
        service_account: &str,
        policy: &str,
    ) -> Result<()> {
        self.write(&format!("sys/policies/acl/{name}"), json!({ "policy": policy })).await?;
        let role = json!({
            "bound_service_account_namespaces": [namespace],
            "bound_service_account_names": [service_account],
            "token_policies": [name],
            "token_ttl": "10m",
        });
        self.write(&format!("auth/kubernetes/role/{name}"), role).await.map(drop)
    }

    /// Writes to any path.
    pub async fn write(&self, path: &str, body: Value) -> Result<Value> {
        self.request(Method::POST, path, Some(body)).await
    }

    /// Reads any path.
    pub async fn read(&self, path: &str) -> Result<Value> {
        self.request(Method::GET, path, None).await
    }

    async fn request(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let request = self
            .http
            .request(method, format!("{VAULT}/v1/{path}"))
            .header("X-Vault-Token", &self.token);
        let request = body.iter().fold(request, RequestBuilder::json);
        let answer = request.send().await.with_context(|| format!("ask Vault for {path}"))?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("Vault answers {status} for {path}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// Starts Vault, initialises and unseals it, and mounts what tests use.
pub async fn start(lab: &Lab) -> Result<()> {
    let config = lab.folders.cluster().join("vault.hcl");
    let values = [
        ("listener", VAULT_LISTENER),
        ("address", VAULT),
        ("certificate", &*lab.pki().certificate("vault").display().to_string()),
        ("key", &*lab.pki().key("vault").display().to_string()),
    ];
    folders::render("templates/vault.hcl", &values, &config)?;
    lab.daemons
        .start("vault", &lab.tools.vault().args(["server"]).args([flag("config", &config)]))?;
    let mut vault = Vault { http: lab.http()?, token: String::new() };
    let keys = eventually("Vault", PATIENCE, || initialise(&vault)).await?;
    vault.write("sys/unseal", json!({ "key": keys["keys"][0] })).await?;
    vault.token = keys["root_token"].as_str().context("Vault made no root token")?.to_owned();
    folders::write(&lab.folders.cluster().join(TOKEN_FILE), &vault.token)?;
    eventually("Vault to be active", PATIENCE, || active(&vault)).await?;
    vault
        .write("sys/mounts/secret", json!({ "type": "kv", "options": { "version": "2" } }))
        .await?;
    vault.write("sys/auth/kubernetes", json!({ "type": "kubernetes" })).await.map(drop)
}

/// Tells Vault how to ask the cluster about tokens; needs the API server.
pub async fn trust_cluster(lab: &Lab) -> Result<()> {
    let reviewer =
        ["--namespace=kube-system", "create", "token", "vault-reviewer", "--duration=48h"];
    let config = json!({
        "kubernetes_host": API_SERVER,
        "kubernetes_ca_cert": folders::read(&lab.pki().authority_certificate())?,
        "token_reviewer_jwt": lab.kubectl(&reviewer).await?.trim(),
        "disable_local_ca_jwt": true,
    });
    Vault::of(lab)?.write("auth/kubernetes/config", config).await.map(drop)
}

async fn initialise(vault: &Vault) -> Result<Value> {
    vault.write("sys/init", json!({ "secret_shares": 1, "secret_threshold": 1 })).await
}

async fn active(vault: &Vault) -> Result<()> {
    let health = vault.read("sys/health").await?;
    ensure!(health["sealed"] == false && health["standby"] == false, "its health is {health}");
    Ok(())
}
