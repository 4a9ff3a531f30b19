//! Puts Mayfly into the cluster the way its users do: images from its Dockerfile, objects from its manifests, with an
//! overlay that sets nothing but addresses and image names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{
    addresses::{AWS_BY_NAME, VAULT, vault_addresses},
    aws::REGION,
    folders, images,
    images::mayfly::{TAG, Target},
    launch::Lab,
    program::Program,
};

/// The namespace that the manifests install into.
pub const NAMESPACE: &str = "mayfly";

/// The webhook, by its name in the manifests.
const DEPLOYMENT: &str = "deployment/mayfly-webhook";

/// How long the webhook may take until all of its replicas are ready.
const ROLLOUT: &str = "--timeout=120s";

/// Installs Mayfly from its images' archives, anew if it is there, and waits until the webhook is ready.
pub async fn install(lab: &Lab, archives: &[PathBuf]) -> Result<()> {
    for archive in archives {
        images::import(lab, archive).await?;
    }
    apply(lab).await
}

/// Applies the manifests, be Mayfly there or not, and waits until the webhook is ready.
pub async fn apply(lab: &Lab) -> Result<()> {
    let was_there =
        !in_namespace(lab, &["get", DEPLOYMENT, "--ignore-not-found"]).await?.is_empty();
    let overlay = overlay(lab);
    write_overlay(lab, &overlay).await.context("write the overlay of the manifests")?;
    lab.kubectl(&["apply", "--kustomize", &overlay.display().to_string()]).await?;
    if was_there {
        // The images' names stay the same from build to build, so nothing else would start the new ones.
        in_namespace(lab, &["rollout", "restart", DEPLOYMENT]).await?;
    }
    let Err(error) = in_namespace(lab, &["rollout", "status", DEPLOYMENT, ROLLOUT]).await else {
        return Ok(());
    };
    let pods = in_namespace(lab, &["describe", "pods"]).await?;
    let said = in_namespace(lab, &["logs", DEPLOYMENT, "--tail=20"]).await.unwrap_or_default();
    bail!("{error:#}\n{pods}\n{said}")
}

/// Takes everything away that [`apply`] has made, and waits for the end of it.
pub async fn remove(lab: &Lab) -> Result<()> {
    let overlay = overlay(lab).display().to_string();
    let delete = ["delete", "--kustomize", &overlay, "--ignore-not-found", "--timeout=120s"];
    lab.kubectl(&delete).await.map(drop)
}

/// The folder of what is applied; `config.yaml` in it is the operator's configuration.
pub fn overlay(lab: &Lab) -> PathBuf {
    lab.folders.cluster().join("install")
}

async fn in_namespace(lab: &Lab, arguments: &[&str]) -> Result<String> {
    lab.kubectl(&[&["--namespace", NAMESPACE], arguments].concat()).await
}

async fn write_overlay(lab: &Lab, overlay: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(overlay);
    fs::create_dir_all(overlay)?;
    // kustomize reads nothing from above its own folder.
    Program::new("cp")
        .args(["-r"])
        .args([folders::checkout().join("manifests")])
        .args([overlay])
        .text()
        .await?;
    let authority = folders::read(&lab.pki().authority_certificate())?;
    // JSON's quotes are YAML's too.
    let values = [
        ("agent", &*Target::Agent.image()),
        ("vault", VAULT),
        ("vault-addresses", &serde_json::to_string(&vault_addresses().collect::<Vec<_>>())?),
        ("authority", &serde_json::to_string(&authority)?),
        ("region", REGION),
        ("aws", AWS_BY_NAME),
    ];
    folders::render("install/config.yaml", &values, &overlay.join("config.yaml"))?;
    let kustomization = overlay.join("kustomization.yaml");
    folders::render("install/kustomization.yaml", &[("tag", TAG)], &kustomization)
}
