//! A pod, as a person with `kubectl` sees it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{cluster::timeout, condition::PATIENCE, namespace::Namespace};

/// One pod.
#[derive(Debug, Clone)]
pub struct Pod {
    namespace: Namespace,
    name: String,
}

impl Pod {
    pub(super) fn new(namespace: Namespace, name: &str) -> Self {
        Self { namespace, name: name.to_owned() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits until all of its containers are ready.
    pub async fn running(&self) -> Result<()> {
        self.reaches("condition=Ready", PATIENCE).await
    }

    /// Waits until it has ended, and fails unless it ended well.
    pub async fn succeeded(&self) -> Result<()> {
        let phase = self.ended().await?;
        ensure!(phase == "Succeeded", "the pod has {phase}:\n{}", self.describe().await?);
        Ok(())
    }

    /// Waits until it has ended, and hands out how: `Succeeded` or `Failed`.
    pub async fn ended(&self) -> Result<&'static str> {
        tokio::select! {
            well = self.reaches("jsonpath={.status.phase}=Succeeded", PATIENCE) => well.map(|()| "Succeeded"),
            badly = self.reaches("jsonpath={.status.phase}=Failed", PATIENCE) => badly.map(|()| "Failed"),
        }
    }

    /// Waits for a condition in `kubectl wait`'s words; fails with the pod's description.
    pub async fn reaches(&self, condition: &str, limit: Duration) -> Result<()> {
        let condition = format!("--for={condition}");
        let wait = ["wait", &format!("pod/{}", self.name), &condition, &timeout(limit)];
        let Err(error) = self.namespace.kubectl(&wait).await else {
            return Ok(());
        };
        let description = self.describe().await.unwrap_or_else(|gone| format!("{gone:#}"));
        bail!("{error:#}\n{description}")
    }

    /// A file, as its default container sees it.
    pub async fn file(&self, path: &str) -> Result<String> {
        self.exec(&["cat", path]).await
    }

    /// A file, as one of its containers sees it.
    pub async fn file_in(&self, container: &str, path: &str) -> Result<String> {
        self.exec_in(container, &["cat", path]).await
    }

    /// Runs a command in its default container.
    pub async fn exec(&self, command: &[&str]) -> Result<String> {
        self.namespace.kubectl(&[&["exec", &self.name, "--"], command].concat()).await
    }

    /// Runs a command in one of its containers.
    pub async fn exec_in(&self, container: &str, command: &[&str]) -> Result<String> {
        let exec = ["exec", &self.name, "--container", container, "--"];
        self.namespace.kubectl(&[&exec, command].concat()).await
    }

    /// What a container has printed.
    pub async fn logs(&self, container: &str) -> Result<String> {
        self.namespace.kubectl(&["logs", &self.name, "--container", container]).await
    }

    /// What `kubectl describe pod` says.
    pub async fn describe(&self) -> Result<String> {
        self.namespace.kubectl(&["describe", "pod", &self.name]).await
    }

    /// The object, as the API server has it.
    pub async fn json(&self) -> Result<Value> {
        let text = self.namespace.kubectl(&["get", "pod", &self.name, "--output=json"]).await?;
        serde_json::from_str(&text).context("read the pod")
    }

    /// Its unique id, which the node's folders are named by.
    pub async fn uid(&self) -> Result<String> {
        let pod = self.json().await?;
        pod["metadata"]["uid"].as_str().map(Into::into).context("a pod has a uid")
    }

    /// Deletes it and waits until it is gone.
    pub async fn delete(&self) -> Result<()> {
        self.namespace.kubectl(&["delete", "pod", &self.name, &timeout(PATIENCE)]).await.map(drop)
    }

    /// Deletes it at once and by force.
    pub async fn delete_by_force(&self) -> Result<()> {
        self.namespace
            .kubectl(&["delete", "pod", &self.name, "--force", "--grace-period=0"])
            .await
            .map(drop)
    }
}
