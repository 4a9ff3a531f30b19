//! A namespace whose default service account may read secrets of its own: in Vault below `secret/<namespace>/`, in
//! AWS under a role of the namespace's name.

use anyhow::{Context, Result};
use mayfly_tests::lab::{cluster::Cluster, namespace::Namespace, pod::Pod};
use serde_json::{Value, json};

use crate::{canary, manifest::Manifest};

/// One tenant of the cluster, and what a test needs to play its people.
#[derive(Debug)]
pub(crate) struct Tenant<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: Namespace,
    /// The ARN of its role in AWS.
    pub(crate) role: String,
}

impl<'a> Tenant<'a> {
    /// A new tenant; `topic` begins the namespace's name.
    pub(crate) async fn new(cluster: &'a Cluster, topic: &str) -> Result<Self> {
        let namespace = cluster.namespace(topic).await?;
        let name = namespace.name().to_owned();
        let policy = format!("path \"secret/data/{name}/*\" {{ capabilities = [\"read\"] }}");
        cluster.vault().role(&name, &name, "default", &policy).await?;
        let role = cluster.aws().role(&name, &name, "default").await?;
        Ok(Self { cluster, namespace, role })
    }

    /// The path of one of its secrets in Vault.
    pub(crate) fn path(&self, secret: &str) -> String {
        format!("secret/{}/{secret}", self.namespace.name())
    }

    /// Writes a secret with the field `value` into Vault, and hands out the value.
    pub(crate) async fn put(&self, secret: &str) -> Result<String> {
        let value = canary::secret();
        self.put_data(secret, json!({"value": value})).await?;
        Ok(value)
    }

    /// Writes a secret into Vault.
    pub(crate) async fn put_data(&self, secret: &str, data: Value) -> Result<()> {
        self.cluster.vault().put(&self.path(secret), data).await
    }

    /// The id of one of its secrets in AWS Secrets Manager.
    pub(crate) fn id(&self, secret: &str) -> String {
        format!("{}/{secret}", self.namespace.name())
    }

    /// Makes a secret in AWS Secrets Manager, and hands out its value.
    pub(crate) async fn create(&self, secret: &str) -> Result<String> {
        let value = canary::secret();
        self.cluster.aws().create_secret(&self.id(secret), &value).await?;
        Ok(value)
    }

    /// A pod with the file `value`, from its Vault secret `app`.
    pub(crate) fn vault_pod(&self, name: &str) -> Manifest {
        self.asking(name).annotate("file.value", &format!("vault:{}#value", self.path("app")))
    }

    /// A pod that logs in as this tenant and asks for no file yet.
    pub(crate) fn asking(&self, name: &str) -> Manifest {
        Manifest::asking(name).annotate("vault-role", self.namespace.name())
    }

    /// Applies a manifest and waits until the pod runs.
    pub(crate) async fn run(&self, manifest: &Manifest) -> Result<Pod> {
        let pod = self.namespace.apply(&manifest.to_string()).await?;
        pod.running().await?;
        Ok(pod)
    }
}

/// The agent's own account of itself, as `mayfly-agent status --json` prints it in the pod.
pub(crate) async fn status(pod: &Pod) -> Result<Value> {
    let text = pod.exec_in("mayfly-agent", &["/mayfly-agent", "status", "--json"]).await?;
    serde_json::from_str(&text).with_context(|| format!("read the status {text}"))
}
