//! The start of a cluster: what waits for what, and everything else at once.

use std::{fs, time::Duration};

use anyhow::{Context, Error, Result};
use reqwest::{Certificate, Client};

use super::{
    aws, control_plane, daemon::Daemons, dns, folders, folders::Folders, images, network, node,
    pki::Pki, program::Program, tools::Tools, vault,
};

/// No answer of a part of the lab takes longer.
const ANSWER: Duration = Duration::from_secs(30);

/// The parts of one lab: where they are, what is built, what runs.
#[derive(Debug)]
pub struct Lab {
    /// Where things are.
    pub folders: Folders,
    /// What is built.
    pub tools: Tools,
    /// What runs.
    pub daemons: Daemons,
}

impl Lab {
    /// Opens the lab of this machine, with all its tools; nothing is started.
    pub async fn open(folders: Folders) -> Result<Self> {
        // A second lab in this process has found it done.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let tools = Tools::prepare(&folders).await?;
        images::prepare_bases(&folders).await?;
        let daemons = Daemons::open(&folders)?;
        Ok(Self { folders, tools, daemons })
    }

    /// Starts everything, in an order of its own; fails as soon as a part ends by itself.
    pub async fn start(&self) -> Result<()> {
        let (logs, cluster) = (self.folders.logs(), self.folders.cluster());
        // What lies there knows what has to be ended: it is swept, never overwritten.
        fs::create_dir(&cluster)
            .context("there is a cluster already: `cargo e2e down` takes it away")?;
        let _ = fs::remove_dir_all(&logs);
        fs::create_dir_all(&logs).with_context(|| format!("make {}", logs.display()))?;
        network::prepare(&cluster).await?;
        self.pki().make().context("make the cluster's certificates")?;
        tokio::select! {
            started = self.start_parts() => started,
            death = self.first_death() => Err(death),
        }
    }

    /// The cluster's keys.
    pub fn pki(&self) -> Pki {
        Pki::at(&self.folders.cluster())
    }

    /// `kubectl` with the administrator's rights.
    pub fn kubectl_program(&self) -> Program {
        self.tools.kubernetes("kubectl").env("KUBECONFIG", self.pki().kubeconfig_of("admin"))
    }

    /// Runs `kubectl` and hands back what it printed.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl_program().args(arguments).text().await
    }

    /// Helm with the administrator's rights, and without what this machine's user has told it.
    pub fn helm_program(&self) -> Program {
        let home = self.folders.cluster().join("helm");
        ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"]
            .into_iter()
            .fold(self.tools.helm(), |helm, name| helm.env(name, &home))
            .env("KUBECONFIG", self.pki().kubeconfig_of("admin"))
    }

    /// A client that trusts the cluster's authority, and nothing else of this machine.
    pub fn http(&self) -> Result<Client> {
        let authority = folders::read(&self.pki().authority_certificate())?;
        let authority = Certificate::from_pem(authority.as_bytes())?;
        let client = Client::builder().tls_certs_only([authority]).no_proxy().timeout(ANSWER);
        client.build().context("make an HTTP client")
    }

    async fn start_parts(&self) -> Result<()> {
        dns::start(self)?;
        tokio::try_join!(
            control_plane::start(self),
            node::start_containerd(self),
            vault::start(self),
            aws::start(self),
        )?;
        tokio::try_join!(node::join(self), vault::trust_cluster(self)).map(drop)
    }

    async fn first_death(&self) -> Error {
        loop {
            if let Err(death) = self.daemons.check() {
                return death;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
