//! The cluster as a test sees it. Each test has a view of its own, which knows the namespaces that it has made.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{
    aws::Aws, condition::PATIENCE, dns::Names, folders, images, images::mayfly::Target,
    launch::Lab, line::Line, namespace::Namespace, node, postgres::Postgres, program::Program,
    vault::Vault,
};
use crate::programs;

/// A running cluster, from the point of view of one test.
#[derive(Debug)]
pub struct Cluster {
    lab: Arc<Lab>,
    vault: Vault,
    aws: Aws,
    soak: bool,
    namespaces: Mutex<Vec<String>>,
}

impl Cluster {
    /// The running cluster of a lab.
    pub fn of(lab: Arc<Lab>, soak: bool) -> Result<Self> {
        let (vault, aws) = (Vault::of(&lab)?, Aws::of(&lab)?);
        Ok(Self { lab, vault, aws, soak, namespaces: Mutex::default() })
    }

    /// A view for another test.
    #[must_use]
    pub fn view(&self) -> Self {
        let Self { lab, vault, aws, soak, .. } = self;
        let (lab, vault, aws) = (Arc::clone(lab), vault.clone(), aws.clone());
        Self { lab, vault, aws, soak: *soak, namespaces: Mutex::default() }
    }

    /// Makes a namespace of that name and a random suffix, and waits until pods can be made in it.
    pub async fn namespace(&self, topic: &str) -> Result<Namespace> {
        let name = format!("{topic}-{:05x}", fastrand::u32(..1 << 20));
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        Namespace::create(Arc::clone(&self.lab), name).await
    }

    /// Runs `kubectl` as administrator and hands back what it printed.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.lab.kubectl(arguments).await
    }

    /// Vault, as its operator sees it.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// PostgreSQL, as its superuser sees it.
    pub async fn postgres(&self) -> Result<Postgres> {
        Postgres::of(&self.lab).await
    }

    /// The cluster's DNS, as its administrator sees it.
    pub fn names(&self) -> Names<'_> {
        Names::of(&self.lab)
    }

    /// AWS, as its administrator sees it.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// A line to a backend, `host:port`, that this test can cut.
    pub async fn line_to(&self, backend: &str) -> Result<Line> {
        Line::to(backend).await
    }

    /// A line to Vault that this test can cut; pods may name its address as their `vault-address`.
    pub async fn line_to_vault(&self) -> Result<Line> {
        Line::to_vault().await
    }

    /// Whether there is time for the long form of a test.
    pub fn soak(&self) -> bool {
        self.soak
    }

    /// The parts of the lab, for tests that look behind the curtain.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// Kills the kubelet and starts it anew, as a crash or an upgrade does. The test must run alone.
    pub async fn restart_kubelet(&self) -> Result<()> {
        self.lab.daemons.kill("kubelet").await?;
        node::start_kubelet(&self.lab)?;
        let ready = || async { node::ready(&self.lab).await };
        super::condition::eventually("the node to be ready again", PATIENCE, ready).await
    }

    /// `kubectl-mayfly` on the machine itself, as administrator of the cluster.
    pub async fn plugin(&self) -> Result<Program> {
        let [program] = programs::build(["kubectl-mayfly"]).await?;
        Ok(Program::new(program).env("KUBECONFIG", self.lab.pki().kubeconfig_of("admin")))
    }

    /// `mayfly-agent` on the machine itself, with nothing of this program's environment that it reads.
    pub fn agent(&self) -> Result<Program> {
        images::mayfly::program(&self.lab.folders, Target::Agent)
    }

    /// Talks to the node's containerd with `ctr`.
    pub async fn ctr(&self, arguments: &[&str]) -> Result<String> {
        images::ctr(&self.lab, arguments).await
    }

    /// Writes down what can be seen of this test's namespaces, for whoever looks into its failure.
    pub async fn report(&self, test: &str) -> Result<()> {
        let folder = self.lab.folders.logs().join("failed").join(test.replace("::", "-"));
        for name in self.own_namespaces() {
            let all = ["get", "all,events", "--output=wide"].as_slice();
            let pods = ["describe", "pods"].as_slice();
            let logs =
                ["logs", "--selector=!nothing", "--all-containers", "--prefix", "--tail=200"]
                    .as_slice();
            let mut page = String::new();
            for arguments in [all, pods, logs] {
                let arguments = [&["--namespace", &name], arguments].concat();
                page +=
                    &self.kubectl(&arguments).await.unwrap_or_else(|error| format!("{error:#}"));
            }
            folders::write(&folder.join(format!("{name}.txt")), page)?;
        }
        Ok(())
    }

    /// Removes this test's namespaces, without waiting for the end.
    pub async fn clean_up(&self) -> Result<()> {
        for name in self.own_namespaces() {
            let delete = ["delete", "namespace", &name, "--wait=false", "--ignore-not-found"];
            self.kubectl(&delete).await.with_context(|| format!("remove the namespace {name}"))?;
        }
        Ok(())
    }

    fn own_namespaces(&self) -> Vec<String> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A limit in `kubectl`'s words.
pub(super) fn timeout(limit: Duration) -> String {
    format!("--timeout={}s", limit.as_secs())
}
