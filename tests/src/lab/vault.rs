//! Vault: the server over TLS with its data in memory, and what tests tell it, as root.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    addresses::{API_SERVER, HOST, VAULT, VAULT_LISTENER},
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
    address: String,
    token: String,
}

/// A Vault beside the lab's own, which a test may seal without disturbing others.
#[derive(Debug)]
pub struct Spare<'a> {
    /// What its operator sees.
    pub vault: Vault,
    /// Where it listens, `host:port`.
    pub listener: String,
    lab: &'a Lab,
    name: String,
    key: String,
}

impl<'a> Spare<'a> {
    /// Starts one, with the Kubernetes auth method and a KV store as the lab's own has them.
    pub async fn start(lab: &'a Lab) -> Result<Self> {
        let free = TcpListener::bind((HOST, 0)).await.context("find a port")?.local_addr()?;
        let (name, listener) = (format!("vault-{}", free.port()), free.to_string());
        let (vault, key) = launch(lab, &name, &listener).await?;
        vault.trust_cluster(lab).await?;
        Ok(Self { vault, listener, lab, name, key })
    }

    /// Seals it: it forgets its key, and answers nobody.
    pub async fn seal(&self) -> Result<()> {
        self.vault.request(Method::PUT, "sys/seal", None).await.map(drop)
    }

    /// Unseals it again.
    pub async fn unseal(&self) -> Result<()> {
        self.vault.write("sys/unseal", json!({ "key": self.key })).await?;
        eventually("Vault to be active", PATIENCE, || active(&self.vault)).await
    }

    /// Ends it.
    pub async fn stop(self) -> Result<()> {
        self.lab.daemons.stop(&self.name).await
    }
}

impl Vault {
    /// The running Vault of a lab.
    pub fn of(lab: &Lab) -> Result<Self> {
        let token = folders::read(&lab.folders.cluster().join(TOKEN_FILE))?;
        Ok(Self { http: lab.http()?, address: VAULT.to_owned(), token })
    }

    /// Its address, for pods and tests alike.
    pub fn address(&self) -> &str {
        &self.address
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

    /// Deletes at any path: a role, a mount, the last version of a secret.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.request(Method::DELETE, path, None).await.map(drop)
    }

    /// The names below any path; none if there is nothing.
    pub async fn list(&self, path: &str) -> Result<Vec<String>> {
        let list = Method::from_bytes(b"LIST")?;
        let request = self.http.request(list, format!("{}/v1/{path}", self.address));
        let answer = request.header("X-Vault-Token", &self.token).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(vec![]);
        }
        let mut answer: Value = answer.error_for_status()?.json().await?;
        let keys = answer["data"]["keys"].take();
        serde_json::from_value(keys).with_context(|| format!("read the names below {path}"))
    }

    /// Tells it how to ask the cluster about tokens; needs the API server.
    pub async fn trust_cluster(&self, lab: &Lab) -> Result<()> {
        let reviewer =
            ["--namespace=kube-system", "create", "token", "vault-reviewer", "--duration=48h"];
        let config = json!({
            "kubernetes_host": API_SERVER,
            "kubernetes_ca_cert": folders::read(&lab.pki().authority_certificate())?,
            "token_reviewer_jwt": lab.kubectl(&reviewer).await?.trim(),
            "disable_local_ca_jwt": true,
        });
        self.write("auth/kubernetes/config", config).await.map(drop)
    }

    async fn request(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let request = self
            .http
            .request(method, format!("{}/v1/{path}", self.address))
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
    let (vault, _) = launch(lab, "vault", VAULT_LISTENER).await?;
    let log = json!({ "file_path": lab.folders.vault_audit_log(), "mode": "0600" });
    vault.write("sys/audit/file", json!({ "type": "file", "options": log })).await?;
    folders::write(&lab.folders.cluster().join(TOKEN_FILE), &vault.token)
}

/// Tells the lab's Vault how to ask the cluster about tokens; needs the API server.
pub async fn trust_cluster(lab: &Lab) -> Result<()> {
    Vault::of(lab)?.trust_cluster(lab).await
}

/// Starts a server, and hands out what its operator sees, and the key that unseals it.
async fn launch(lab: &Lab, name: &str, listener: &str) -> Result<(Vault, String)> {
    let address = format!("https://{listener}");
    configure_and_start(lab, name, listener, &address)?;
    let mut vault = Vault { http: lab.http()?, address, token: String::new() };
    let keys = eventually("Vault", PATIENCE, || initialise(&vault)).await?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let key = text(&keys["keys"][0]).context("Vault made no key")?;
    vault.write("sys/unseal", json!({ "key": key })).await?;
    vault.token = text(&keys["root_token"]).context("Vault made no root token")?;
    eventually("Vault to be active", PATIENCE, || active(&vault)).await?;
    let versioned = json!({ "type": "kv", "options": { "version": "2" } });
    vault.write("sys/mounts/secret", versioned).await?;
    vault.write("sys/auth/kubernetes", json!({ "type": "kubernetes" })).await?;
    Ok((vault, key))
}

fn configure_and_start(lab: &Lab, name: &str, listener: &str, address: &str) -> Result<()> {
    let config = lab.folders.cluster().join(format!("{name}.hcl"));
    let values = [
        ("listener", listener),
        ("address", address),
        ("certificate", &*lab.pki().certificate("vault").display().to_string()),
        ("key", &*lab.pki().key("vault").display().to_string()),
    ];
    folders::render("templates/vault.hcl", &values, &config)?;
    lab.daemons.start(name, &lab.tools.vault().args(["server"]).args([flag("config", &config)]))
}

async fn initialise(vault: &Vault) -> Result<Value> {
    vault.write("sys/init", json!({ "secret_shares": 1, "secret_threshold": 1 })).await
}

async fn active(vault: &Vault) -> Result<()> {
    let health = vault.read("sys/health").await?;
    ensure!(health["sealed"] == false && health["standby"] == false, "its health is {health}");
    Ok(())
}
