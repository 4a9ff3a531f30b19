//! The way to an API server, with the caller's own rights.
//!
//! EDGE.

use std::{path::Path, time::Duration};

use anyhow::Context;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::args::ClusterArgs;

/// No API server takes longer to take a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A client for the API server that `args` name; without any, as `kubectl` finds it: `KUBECONFIG`,
/// the home folder's, else the pod's own service account.
pub(crate) async fn client(args: &ClusterArgs) -> anyhow::Result<Client> {
    Ok(client_and_address(args).await?.0)
}

/// The same, and the address of the API server.
pub(crate) async fn client_and_address(args: &ClusterArgs) -> anyhow::Result<(Client, String)> {
    let mut config = match (args.kubeconfig.as_deref(), args.context.as_deref()) {
        (None, None) => {
            Config::infer().await.context("finding an API server: give --kubeconfig")?
        }
        (file, context) => from_file(file, context).await?,
    };
    config.connect_timeout = Some(CONNECT);
    let address = config.cluster_url.to_string();
    let client = Client::try_from(config).context("making a client for the API server")?;
    Ok((client, address))
}

async fn from_file(file: Option<&Path>, context: Option<&str>) -> anyhow::Result<Config> {
    let read = || file.map_or_else(Kubeconfig::read, Kubeconfig::read_from);
    let name = file.map_or_else(|| "the kubeconfig".to_owned(), |file| file.display().to_string());
    let kubeconfig = read().with_context(|| format!("reading {name}"))?;
    let options =
        KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    config.with_context(|| format!("in {name}"))
}
