//! `--client-ca`: the API server shows a certificate, as its `AdmissionConfiguration` says, and nobody else is answered.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, folders, install::NAMESPACE, pki::WEBHOOK, suite::Case},
};
use reqwest::{Certificate, Client, StatusCode};
use serde_json::json;

use crate::{
    install::release::{in_place_of_the_labs_own, install},
    operator::{self, PODS},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![only_the_api_server_is_answered].into_iter().map(Case::alone).collect()
}

/// The host that the API server calls.
const SERVICE: &str = "mayfly-webhook.mayfly.svc";

async fn only_the_api_server_is_answered(cluster: &Cluster) -> Result<()> {
    in_place_of_the_labs_own(cluster, async {
        prepare(cluster).await?;
        let authority = cluster.lab().pki().authority_certificate();
        let authority = format!("tls.secret.caBundle={}", authority.display());
        let values = "tls.mode=secret,clientCA.configMap=callers";
        // Each replica is ready only when it has shaken hands with itself, without a certificate.
        install(cluster, &["--set", values, "--set-file", &authority]).await?;
        let tenant = Tenant::new(cluster, "client-ca").await?;
        let value = tenant.put("app").await?;
        operator::answers(&tenant).await?;
        let pod = tenant.run(&tenant.vault_pod("web")).await?;
        ensure!(pod.file("/run/mayfly/value").await? == value, "the pod has another file");
        who_shows_nothing_is_told_so(cluster).await
    })
    .await
}

/// The webhook's own certificate, and the authority of those who may ask.
async fn prepare(cluster: &Cluster) -> Result<()> {
    let pki = cluster.lab().pki();
    cluster.kubectl(&["create", "namespace", NAMESPACE]).await?;
    let pair = [pki.certificate(WEBHOOK), pki.key(WEBHOOK)];
    let [certificate, key] = pair.map(|path| path.display().to_string());
    let create = ["create", "secret", "tls", "mayfly-webhook-tls", "--cert", &certificate];
    operator::kubectl(cluster, &[create.as_slice(), &["--key", &key]].concat()).await?;
    let authority = format!("--from-file=ca.crt={}", pki.authority_certificate().display());
    operator::kubectl(cluster, &["create", "configmap", "callers", &authority]).await.map(drop)
}

/// Every replica, asked past the API server.
async fn who_shows_nothing_is_told_so(cluster: &Cluster) -> Result<()> {
    let addresses = "--output=jsonpath={.items[*].status.podIP}";
    let addresses = operator::kubectl(cluster, &["get", "pods", "-l", PODS, addresses]).await?;
    ensure!(!addresses.is_empty(), "there are no replicas");
    for address in addresses.split_whitespace() {
        let address = format!("{address}:8443").parse().context("read a pod's address")?;
        for path in ["mutate", "warn"] {
            let url = format!("https://{SERVICE}:8443/{path}");
            let answer = stranger(cluster, address)?.post(url).json(&json!({})).send().await?;
            let status = answer.status();
            let told = answer.text().await?;
            ensure!(status == StatusCode::UNAUTHORIZED, "/{path} answers {status}: {told}");
            ensure!(told.contains("a client certificate"), "/{path} says {told:?}");
        }
    }
    Ok(())
}

/// A client that trusts the webhook and shows nothing.
fn stranger(cluster: &Cluster, address: SocketAddr) -> Result<Client> {
    let authority = folders::read(&cluster.lab().pki().authority_certificate())?;
    let authority = Certificate::from_pem(authority.as_bytes())?;
    let client = Client::builder().tls_certs_only([authority]).no_proxy().resolve(SERVICE, address);
    client.build().context("make an HTTP client")
}
