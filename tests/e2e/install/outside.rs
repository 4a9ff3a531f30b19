//! The webhook outside the cluster: the same binary, on the host, reached by its address, for the namespaces that have
//! a label.
#![expect(clippy::disallowed_methods, reason = "a certificate and a kustomization are files")]

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use mayfly_tests::{
    cases,
    lab::{
        addresses::HOST,
        cluster::Cluster,
        folders,
        images::{
            self,
            mayfly::{TAG, Target},
        },
        install,
        program::Program,
        suite::Case,
    },
};
use serde_json::json;
use tempfile::TempDir;

use super::{Delivery, release::in_place_of_the_labs_own};
use crate::{manifest::Manifest, tenant::Tenant};

pub(super) fn cases() -> Vec<Case> {
    cases![a_webhook_outside_the_cluster_injects].into_iter().map(Case::alone).collect()
}

/// The process's name in the lab.
const OUTSIDE: &str = "webhook-outside";

/// Its port on the host.
const PORT: u16 = 9453;

async fn a_webhook_outside_the_cluster_injects(cluster: &Cluster) -> Result<()> {
    let ground = Ground::prepare().await?;
    in_place_of_the_labs_own(cluster, async {
        ground.start(cluster)?;
        let kustomization = ground.folder.path().display().to_string();
        let outcome = async {
            cluster.kubectl(&["apply", "--kustomize", &kustomization]).await?;
            only_the_labelled_namespace_is_served(cluster).await
        };
        let outcome = outcome.await;
        let delete = ["delete", "--kustomize", &kustomization, "--ignore-not-found"];
        let deleted = cluster.kubectl(&delete).await;
        let stopped = cluster.lab().daemons.stop(OUTSIDE).await;
        deleted.and(outcome).and(stopped)
    })
    .await
}

async fn only_the_labelled_namespace_is_served(cluster: &Cluster) -> Result<()> {
    let inside = Tenant::new(cluster, "unlabelled").await?;
    let tenant = Tenant::new(cluster, "outside").await?;
    tenant.namespace.label(&["mayfly=outside"]).await?;
    Delivery::start(&tenant, "web", TAG).await?;
    inside.run(&Manifest::plain("plain")).await?;
    let asking = inside.namespace.rehearse(&inside.vault_pod("asking").to_string()).await?;
    let containers = &asking["spec"]["initContainers"];
    ensure!(containers.is_null(), "a namespace without the label is served, too: {containers}");
    Ok(())
}

/// The documented manifest with what its comment says is to be set, and a certificate for the host's address.
struct Ground {
    folder: TempDir,
}

impl Ground {
    async fn prepare() -> Result<Self> {
        let ground = Self { folder: tempfile::tempdir().context("make a folder")? };
        let manifests = folders::checkout().join("manifests/outside");
        let copy = Program::new("cp").args(["-r"]).args([manifests]);
        copy.args([ground.folder.path()]).text().await?;
        let pair = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        fs::write(ground.path("tls.crt"), pair.cert.pem())?;
        fs::write(ground.path("tls.key"), pair.signing_key.serialize_pem())?;
        let kustomization = kustomization(&pair.cert.pem());
        fs::write(ground.path("kustomization.yaml"), kustomization)?;
        Ok(ground)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, cluster: &Cluster) -> Result<()> {
        let config = install::overlay(cluster.lab()).join("config.yaml");
        let program = images::mayfly::program(&cluster.lab().folders, Target::Webhook)?
            .args(["serve", "--admin-listen=127.0.0.1:9454", "--drain-delay=0s"])
            .args([format!("--listen={HOST}:{PORT}")])
            .args([format!("--config={}", config.display())])
            .args([format!("--tls-cert={}", self.path("tls.crt").display())])
            .args([format!("--tls-key={}", self.path("tls.key").display())]);
        cluster.lab().daemons.start(OUTSIDE, &program)
    }
}

fn kustomization(certificate: &str) -> String {
    let registration = |name: &str, path: &str| {
        let url = format!("https://{HOST}:{PORT}/{path}");
        let (bundle, label) = (BASE64.encode(certificate), json!({"mayfly": "outside"}));
        let patch = json!([
            {"op": "replace", "path": "/webhooks/0/clientConfig/url", "value": url},
            {"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": bundle},
            {"op": "add", "path": "/webhooks/0/namespaceSelector/matchLabels", "value": label},
        ]);
        let target = json!({"kind": "MutatingWebhookConfiguration", "name": name});
        json!({"target": target, "patch": patch.to_string()})
    };
    let labels = "/spec/matchConstraints/namespaceSelector/matchLabels";
    let labels = json!([{"op": "add", "path": labels, "value": {"mayfly": "outside"}}]);
    let patches = [
        registration("mayfly-webhook", "mutate"),
        registration("mayfly-webhook-warnings", "warn"),
        json!({"target": {"kind": "ValidatingAdmissionPolicy"}, "patch": labels.to_string()}),
    ];
    json!({"resources": ["outside"], "patches": patches}).to_string()
}
