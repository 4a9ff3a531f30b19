//! The way to an API server, for what asks one: the identity's publication and namespaces' labels.
//!
//! EDGE. Admission asks nobody, so nothing in here is reached from a review.

use std::{path::Path, time::Duration};

use anyhow::Context;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

/// No answer of an API server takes longer; a watch is no answer.
const CONNECT: Duration = Duration::from_secs(5);

/// A client for the API server of `kubeconfig`; without it, as `kubectl` finds it: `KUBECONFIG`, the home folder's, else
/// the pod's own service account.
pub async fn client(kubeconfig: Option<&Path>) -> anyhow::Result<Client> {
    let mut config = match kubeconfig {
        Some(file) => from_file(file).await?,
        None => Config::infer().await.context("finding an API server: give --kubeconfig")?,
    };
    config.connect_timeout = Some(CONNECT);
    Client::try_from(config).context("making a client for the API server")
}

async fn from_file(file: &Path) -> anyhow::Result<Config> {
    let name = file.display();
    let kubeconfig = Kubeconfig::read_from(file).with_context(|| format!("reading {name}"))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    config.with_context(|| format!("in {name}"))
}
