//! The one node: containerd, the kubelet and kube-proxy, with all of their state below the cluster's folder.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::{
    addresses::{HOST, POD_RANGE},
    condition::{PATIENCE, eventually},
    control_plane::flag,
    dns::DOMAIN,
    folders, images,
    launch::Lab,
    program::Program,
};

/// The node's name.
pub const NODE_NAME: &str = "mayfly-lab";

/// Where containerd listens.
pub fn socket(cluster: &Path) -> PathBuf {
    cluster.join("containerd.sock")
}

/// Starts containerd and gives it the images that every run needs.
pub async fn start_containerd(lab: &Lab) -> Result<()> {
    let cluster = lab.folders.cluster();
    let config = cluster.join("containerd.toml");
    let values = [
        ("cluster", &*cluster.display().to_string()),
        ("socket", &*socket(&cluster).display().to_string()),
    ];
    folders::render("templates/containerd.toml", &values, &config)?;
    lab.daemons.start("containerd", &Program::new("containerd").args([flag("config", &config)]))?;
    let answers = || async { images::ctr(lab, &["version"]).await.map(drop) };
    eventually("containerd", PATIENCE, answers).await?;
    images::import_bases(lab).await
}

/// Starts the kubelet and kube-proxy; needs the API server and containerd.
pub async fn join(lab: &Lab) -> Result<()> {
    start_kubelet(lab)?;
    start_proxy(lab)?;
    eventually("the node to be ready", PATIENCE, || ready(lab)).await
}

/// Starts the kubelet, for the first time or again.
pub fn start_kubelet(lab: &Lab) -> Result<()> {
    let (cluster, pki) = (lab.folders.cluster(), lab.pki());
    let config = cluster.join("kubelet.yaml");
    let values = [
        ("cluster", &*cluster.display().to_string()),
        ("socket", &*socket(&cluster).display().to_string()),
        ("dns", HOST),
        ("domain", DOMAIN),
        ("pod-logs", &*lab.folders.pod_logs().display().to_string()),
        ("authority", &*pki.authority_certificate().display().to_string()),
        ("certificate", &*pki.certificate("kubelet").display().to_string()),
        ("key", &*pki.key("kubelet").display().to_string()),
    ];
    folders::render("templates/kubelet.yaml", &values, &config)?;
    let kubelet = lab.tools.kubernetes("kubelet").args([flag("config", &config)]);
    let kubelet = kubelet.args([flag("kubeconfig", &pki.kubeconfig_of("kubelet"))]);
    let kubelet = kubelet.args([flag("root-dir", &cluster.join("kubelet"))]);
    // The kubelet refuses a loopback address, which the node would have by default.
    let kubelet =
        kubelet.args([format!("--node-ip={HOST}"), format!("--hostname-override={NODE_NAME}")]);
    lab.daemons.start("kubelet", &kubelet)
}

/// Whether the API server takes the node for ready.
pub async fn ready(lab: &Lab) -> Result<()> {
    let path = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
    let status = lab.kubectl(&["get", "node", NODE_NAME, "--output", path]).await?;
    ensure!(status == "True", "the node's condition Ready is {status:?}");
    let taints =
        lab.kubectl(&["get", "node", NODE_NAME, "--output", "jsonpath={.spec.taints}"]).await?;
    ensure!(taints.is_empty(), "the node is tainted: {taints}");
    Ok(())
}

fn start_proxy(lab: &Lab) -> Result<()> {
    let config = lab.folders.cluster().join("kube-proxy.yaml");
    let kubeconfig = lab.pki().kubeconfig_of("kube-proxy");
    let values = [
        ("kubeconfig", &*kubeconfig.display().to_string()),
        ("node", NODE_NAME),
        ("range", POD_RANGE),
    ];
    folders::render("templates/kube-proxy.yaml", &values, &config)?;
    lab.daemons
        .start("kube-proxy", &lab.tools.kubernetes("kube-proxy").args([flag("config", &config)]))
}
