//! A test's own namespace: where its manifests go, and what the API server said to them.

use std::{process::Output, sync::Arc};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    condition::{PATIENCE, eventually},
    launch::Lab,
    pod::Pod,
    program::Program,
};

/// A namespace that belongs to one test.
#[derive(Debug, Clone)]
pub struct Namespace {
    lab: Arc<Lab>,
    name: String,
}

/// What a person sees after `kubectl apply`.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Whether everything was taken.
    pub accepted: bool,
    /// The objects that were taken, as `pod/web`.
    pub objects: Vec<String>,
    /// Warnings and errors, as `kubectl` prints them.
    pub said: String,
}

impl Namespace {
    pub(super) async fn create(lab: Arc<Lab>, name: String) -> Result<Self> {
        lab.kubectl(&["create", "namespace", &name]).await?;
        let namespace = Self { lab, name };
        // Without these the API server refuses pods, or the kubelet does not start them.
        let needed = ["get", "serviceaccount/default", "configmap/kube-root-ca.crt"];
        let made = || async { namespace.kubectl(&needed).await.map(drop) };
        eventually("the namespace's service account", PATIENCE, made).await?;
        Ok(namespace)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets labels, such as `pod-security.kubernetes.io/enforce=restricted`.
    pub async fn label(&self, labels: &[&str]) -> Result<()> {
        self.lab.kubectl(&[&["label", "namespace", &self.name], labels].concat()).await.map(drop)
    }

    /// Makes a service account.
    pub async fn service_account(&self, name: &str) -> Result<()> {
        self.kubectl(&["create", "serviceaccount", name]).await.map(drop)
    }

    /// A token of a service account, for an audience or for the API server's own.
    pub async fn token(&self, service_account: &str, audience: Option<&str>) -> Result<String> {
        let audience = audience.map(|audience| format!("--audience={audience}"));
        let create = ["create", "token", service_account].into_iter().chain(audience.as_deref());
        Ok(self.kubectl(&create.collect::<Vec<_>>()).await?.trim().to_owned())
    }

    /// Applies a manifest with one pod in it, and maybe other objects, and hands out the pod.
    pub async fn apply(&self, manifest: &str) -> Result<Pod> {
        let objects = self.apply_all(manifest).await?;
        let name = objects.iter().find_map(|object| object.strip_prefix("pod/"));
        name.map(|name| self.pod(name)).with_context(|| format!("there is no pod in {objects:?}"))
    }

    /// Applies a manifest and hands out the objects' names, as `deployment.apps/web`.
    pub async fn apply_all(&self, manifest: &str) -> Result<Vec<String>> {
        let answer = self.submit(manifest).await?;
        ensure!(answer.accepted, "the manifest was refused: {}", answer.said);
        Ok(answer.objects)
    }

    /// Applies a manifest and hands out whatever came of it.
    pub async fn submit(&self, manifest: &str) -> Result<Answer> {
        self.submit_with(manifest, &[]).await
    }

    /// The same, with more of `kubectl apply`'s options, such as `--validate=warn`.
    pub async fn submit_with(&self, manifest: &str, options: &[&str]) -> Result<Answer> {
        let output = self.apply_program(&["--output=name"]).args(options).input(manifest);
        let output = output.output().await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let objects = text(&output.stdout).lines().map(Into::into).collect();
        Ok(Answer { accepted: output.status.success(), objects, said: text(&output.stderr) })
    }

    /// Applies a manifest that must be refused, and hands out what the person is told.
    pub async fn refusal(&self, manifest: &str) -> Result<String> {
        let answer = self.submit(manifest).await?;
        ensure!(!answer.accepted, "the manifest was accepted: {:?}", answer.objects);
        Ok(answer.said)
    }

    /// What a manifest would become, by a server-side dry run; fails with what the person would be told.
    pub async fn rehearse(&self, manifest: &str) -> Result<Value> {
        let program = self.apply_program(&["--output=json", "--dry-run=server"]).input(manifest);
        serde_json::from_str(&program.text().await?).context("read what it would become")
    }

    fn apply_program(&self, options: &[&str]) -> Program {
        let apply = ["--namespace", &self.name, "apply", "--filename=-"];
        self.lab.kubectl_program().args(apply).args(options)
    }

    /// The pod of that name, which may not be there yet.
    pub fn pod(&self, name: &str) -> Pod {
        Pod::new(self.clone(), name)
    }

    /// The pods that a selector finds, such as `app=web`.
    pub async fn pods(&self, selector: &str) -> Result<Vec<Pod>> {
        let names = self.kubectl(&["get", "pods", "--output=name", "--selector", selector]).await?;
        Ok(names
            .lines()
            .filter_map(|name| name.strip_prefix("pod/"))
            .map(|name| self.pod(name))
            .collect())
    }

    /// Runs `kubectl` in this namespace.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.lab.kubectl(&[&["--namespace", &self.name], arguments].concat()).await
    }

    /// Runs `kubectl` in this namespace and hands back everything, be it success or not.
    pub async fn kubectl_output(&self, arguments: &[&str]) -> Result<Output> {
        self.lab.kubectl_program().args(["--namespace", &self.name]).args(arguments).output().await
    }
}
