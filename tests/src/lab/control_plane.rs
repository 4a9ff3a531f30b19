//! etcd, the API server, the controller manager and the scheduler: how each is started, and when they are ready.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{
    addresses::{API_SERVER, API_SERVER_PORT, ETCD, ETCD_PEER, HOST, SERVICE_RANGE},
    condition::{PATIENCE, eventually},
    folders,
    launch::Lab,
    pki::{Pki, WEBHOOK_CALLER},
    program::Program,
};

/// Starts etcd and the API server, and waits until it answers.
pub async fn start(lab: &Lab) -> Result<()> {
    let (cluster, pki) = (lab.folders.cluster(), lab.pki());
    lab.daemons.start("etcd", &etcd(&cluster))?;
    lab.daemons.start("kube-apiserver", &api_server(lab, &pki, &admission(&cluster, &pki)?))?;
    eventually("the API server", PATIENCE, || ready(lab)).await?;
    lab.daemons.start("kube-controller-manager", &controller_manager(lab, &pki))?;
    lab.daemons.start("kube-scheduler", &scheduler(lab, &pki))?;
    let foundations = folders::data("manifests/foundations.yaml");
    lab.kubectl(&["apply", "--filename", &foundations.display().to_string()])
        .await
        .context("lay the foundations")
        .map(drop)
}

fn etcd(cluster: &Path) -> Program {
    Program::new("etcd")
        .args(["--name=lab", "--log-level=warn", "--logger=zap"])
        .args([format!("--data-dir={}", cluster.join("etcd").display())])
        .args([format!("--listen-client-urls={ETCD}"), format!("--advertise-client-urls={ETCD}")])
        .args([
            format!("--listen-peer-urls={ETCD_PEER}"),
            format!("--initial-advertise-peer-urls={ETCD_PEER}"),
        ])
        .args([format!("--initial-cluster=lab={ETCD_PEER}")])
}

async fn ready(lab: &Lab) -> Result<()> {
    let answer = lab.http()?.get(format!("{API_SERVER}/readyz")).send().await?;
    answer.error_for_status().map(drop).context("it is not ready")
}

/// How the API server calls webhooks: to ours it shows a certificate, which is only asked for with `--client-ca`.
fn admission(cluster: &Path, pki: &Pki) -> Result<PathBuf> {
    let callers = cluster.join("webhook-callers.kubeconfig");
    let (certificate, key) = (pki.certificate(WEBHOOK_CALLER), pki.key(WEBHOOK_CALLER));
    let [certificate, key] = [certificate, key].map(|path| path.display().to_string());
    let values = [("certificate", &*certificate), ("key", &*key)];
    folders::render("templates/webhook-callers.yaml", &values, &callers)?;
    let configuration = cluster.join("admission.yaml");
    let values = [("kubeconfig", &*callers.display().to_string())];
    folders::render("templates/admission.yaml", &values, &configuration)?;
    Ok(configuration)
}

fn api_server(lab: &Lab, pki: &Pki, admission: &Path) -> Program {
    let authority = pki.authority_certificate();
    let (certificate, key) = (pki.certificate("api-server"), pki.key("api-server"));
    let tokens = pki.key("service-accounts");
    lab.tools
        .kubernetes("kube-apiserver")
        .args([format!("--etcd-servers={ETCD}"), format!("--secure-port={API_SERVER_PORT}")])
        .args([format!("--bind-address={HOST}"), format!("--advertise-address={HOST}")])
        .args([flag("client-ca-file", &authority)])
        .args([flag("tls-cert-file", &certificate), flag("tls-private-key-file", &key)])
        .args([flag("kubelet-certificate-authority", &authority)])
        .args([flag("kubelet-client-certificate", &certificate), flag("kubelet-client-key", &key)])
        .args(["--kubelet-preferred-address-types=InternalIP", "--authorization-mode=Node,RBAC"])
        .args(["--enable-admission-plugins=NodeRestriction"])
        .args([flag("admission-control-config-file", admission)])
        // Without it the API server would look for webhooks' services with a name server that is not there.
        .args(["--enable-aggregator-routing=true"])
        .args([format!("--service-cluster-ip-range={SERVICE_RANGE}")])
        .args([format!("--service-account-issuer={API_SERVER}")])
        .args([
            flag("service-account-key-file", &tokens),
            flag("service-account-signing-key-file", &tokens),
        ])
        .args([flag("audit-policy-file", &folders::data("audit-policy.yaml"))])
        .args([flag("audit-log-path", &lab.folders.audit_log())])
}

fn controller_manager(lab: &Lab, pki: &Pki) -> Program {
    let authority = pki.authority_certificate();
    controller(lab, pki, "controller-manager")
        .args(["--use-service-account-credentials=true"])
        .args([flag("root-ca-file", &authority), flag("cluster-signing-cert-file", &authority)])
        .args([flag("cluster-signing-key-file", &pki.key("authority"))])
        .args([flag("service-account-private-key-file", &pki.key("service-accounts"))])
}

fn scheduler(lab: &Lab, pki: &Pki) -> Program {
    controller(lab, pki, "scheduler")
}

fn controller(lab: &Lab, pki: &Pki, name: &str) -> Program {
    let kubeconfig = pki.kubeconfig_of(name);
    lab.tools
        .kubernetes(&format!("kube-{name}"))
        .args(["--leader-elect=false", "--bind-address=127.0.0.1"])
        .args([flag("kubeconfig", &kubeconfig), flag("authentication-kubeconfig", &kubeconfig)])
        .args([flag("authorization-kubeconfig", &kubeconfig)])
}

/// A flag whose value is a file.
pub(super) fn flag(name: &str, value: &Path) -> String {
    format!("--{name}={}", value.display())
}
