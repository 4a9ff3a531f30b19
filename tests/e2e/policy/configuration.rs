//! The configuration of the running webhook: changed under it, and put back whatever happens.

use std::{future::Future, time::Duration};

use anyhow::{Context, Result, ensure};
use mayfly_tests::lab::{
    cluster::Cluster,
    condition::{PATIENCE, eventually},
    install::NAMESPACE,
    progress::say,
};
use serde_json::{Value, json};

use crate::operator::{self, DEPLOYMENT, PODS};

/// A kubelet looks at a `ConfigMap` once a minute or so, unless its pod is touched.
const BETWEEN_TOUCHES: Duration = Duration::from_secs(5);

/// The webhook's `ConfigMap`, and what was in it.
#[derive(Debug)]
pub(super) struct Configuration<'a> {
    cluster: &'a Cluster,
    name: String,
    usual: String,
}

/// The replicas' names.
pub(super) async fn replicas(cluster: &Cluster) -> Result<Vec<String>> {
    let running = "--field-selector=status.phase=Running";
    let pods = ["get", "pods", "--selector", PODS, running, "--output=json"];
    let pods: Value = serde_json::from_str(&operator::kubectl(cluster, &pods).await?)?;
    let pods = pods["items"].as_array().context("a list of pods")?;
    // One that is about to go answers nobody, and takes nothing new.
    let staying = pods.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    Ok(staying.filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect())
}

impl<'a> Configuration<'a> {
    pub(super) async fn of(cluster: &'a Cluster) -> Result<Self> {
        let path = "jsonpath={.spec.template.spec.volumes[?(@.name=='config')].configMap.name}";
        let name = operator::kubectl(cluster, &["get", DEPLOYMENT, "--output", path]).await?;
        ensure!(!name.is_empty(), "the webhook has no volume with its configuration");
        let configuration = Self { cluster, name, usual: String::new() };
        let usual = configuration.text().await?;
        Ok(Self { usual, ..configuration })
    }

    async fn text(&self) -> Result<String> {
        let text = ["get", "configmap", &self.name, "--output=jsonpath={.data.config\\.yaml}"];
        operator::kubectl(self.cluster, &text).await
    }

    /// Brings the usual configuration with `more` into force, waits for `body`, and brings the usual one back.
    pub(super) async fn with(
        &self,
        more: &str,
        body: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let body = async {
            self.push(more).await?;
            body.await
        };
        self.restored_after(body).await
    }

    /// Waits for `body`, and brings the usual configuration back if another one was written.
    pub(super) async fn restored_after(
        &self,
        body: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let outcome = body.await;
        let restored =
            async { if self.text().await? == self.usual { Ok(()) } else { self.push("").await } };
        outcome.and(restored.await.context("bring the usual configuration back"))
    }

    /// Brings the usual configuration with `more` into force in every replica.
    pub(super) async fn push(&self, more: &str) -> Result<()> {
        let before = self.loaded().await?;
        self.write(more).await?;
        self.is_newer_than(&before).await
    }

    /// Since when each replica's configuration has been in force.
    pub(super) async fn loaded(&self) -> Result<Vec<f64>> {
        self.each("config_loaded_timestamp_seconds").await
    }

    /// Waits until every replica has a newer configuration in force.
    pub(super) async fn is_newer_than(&self, before: &[f64]) -> Result<()> {
        let start = tokio::time::Instant::now();
        let is_in_force = || async {
            let now = self.loaded().await?;
            let valid = self.each("config_valid").await?;
            let is_new = now.iter().zip(before).all(|(now, before)| now > before);
            ensure!(is_new && valid.iter().all(|valid| *valid > 0.0), "{before:?}, {now:?}");
            Ok(())
        };
        self.hurried("the configuration to be in force", is_in_force).await?;
        say(format_args!("a configuration came into force after {:.1?}", start.elapsed()));
        Ok(())
    }

    /// Writes a configuration that cannot be, and waits until every replica counts it under `metric`.
    pub(super) async fn push_bad(&self, more: &str, metric: &str) -> Result<()> {
        let before = self.each(metric).await?;
        self.write(more).await?;
        let is_loud = || async {
            let now = self.each(metric).await?;
            let valid = self.each("config_valid").await?;
            let is_new = now.iter().zip(&before).all(|(now, before)| now > before);
            ensure!(is_new && valid.iter().all(|valid| *valid < 1.0), "{before:?}, {now:?}");
            Ok(())
        };
        self.hurried("the configuration to be refused", is_loud).await
    }

    /// What the replicas have said of late.
    pub(super) async fn logs(&self) -> Result<String> {
        operator::kubectl(self.cluster, &["logs", "--selector", PODS, "--tail=200"]).await
    }

    /// One metric, over all replicas.
    pub(super) async fn sum(&self, metric: &str) -> Result<f64> {
        Ok(self.each(metric).await?.iter().sum())
    }

    async fn write(&self, more: &str) -> Result<()> {
        let text = format!("{}{more}", self.usual);
        let patch = json!({"data": {"config.yaml": text}}).to_string();
        let patch = ["patch", "configmap", &self.name, "--type=merge", "--patch", &patch];
        operator::kubectl(self.cluster, &patch).await.map(drop)
    }

    /// Waits for `holds`, and touches the replicas meanwhile: so the kubelet looks at their volumes.
    async fn hurried<Attempt: Future<Output = Result<()>>>(
        &self,
        what: &str,
        holds: impl Fn() -> Attempt,
    ) -> Result<()> {
        let touch = async {
            loop {
                self.touch().await?;
                tokio::time::sleep(BETWEEN_TOUCHES).await;
            }
        };
        tokio::select! {
            outcome = eventually(what, PATIENCE, &holds) => outcome,
            failure = touch => failure,
        }
    }

    async fn touch(&self) -> Result<()> {
        let age = format!("lab/touched={}", fastrand::u64(..));
        let touch = ["annotate", "pods", "--overwrite", "--selector", PODS, &age];
        operator::kubectl(self.cluster, &touch).await.map(drop)
    }

    /// One metric of each replica; what is not there yet is nothing.
    async fn each(&self, metric: &str) -> Result<Vec<f64>> {
        let mut values = Vec::new();
        for pod in replicas(self.cluster).await? {
            let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics");
            let text = self.cluster.kubectl(&["get", "--raw", &path]).await?;
            let start = format!("mayfly_webhook_{metric} ");
            let value = text.lines().find_map(|line| line.strip_prefix(&start));
            values.push(value.map_or(Ok(0.0), str::parse)?);
        }
        Ok(values)
    }
}
