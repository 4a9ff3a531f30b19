//! The chart and the plain manifests, as files: that they are one and the same. Nothing is installed here.
#![expect(clippy::disallowed_methods, reason = "manifests are files")]

mod schemas;
mod values;

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        chart::{self, RENDERINGS},
        cluster::Cluster,
        folders,
        program::Program,
        suite::Case,
    },
};
use serde_json::Value;

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        plain_manifests_are_made_from_the_chart,
        kustomize_makes_the_objects_that_helm_makes,
        helm_finds_no_fault_in_the_chart,
    ];
    let cases = [cases, values::cases(), schemas::cases()].concat();
    cases.into_iter().map(Case::bare).collect()
}

async fn plain_manifests_are_made_from_the_chart(cluster: &Cluster) -> Result<()> {
    for rendering in RENDERINGS {
        for (path, content) in rendering.render(&cluster.lab().tools.helm()).await? {
            let file = folders::read(&path)?;
            let advice = "`cargo e2e manifests` writes it anew";
            ensure!(file == content, "{} is not what the chart says: {advice}", path.display());
        }
    }
    Ok(())
}

/// A folder of manifests, what of others is put on top of it, and the chart's values that say the same.
const SAME: [(&str, &[&str], &[&str]); 6] = [
    ("kubernetes", &[], &[]),
    ("cert-manager", &[], &["tls.mode=cert-manager"]),
    ("kubernetes", &["namespaces"], &["config.namespace-annotations=true"]),
    ("kubernetes", &["certificate-files"], &["tls.mode=secret"]),
    ("kubernetes", &["certificate-files", "namespaces"], &["tls.mode=secret", SELECTING]),
    ("outside", &[], &["tls.mode=secret", "url=https://mayfly-webhook.example:8443"]),
];

const SELECTING: &str = "config.policy.rules[0].namespace-selector.matchLabels.team=web";

async fn kustomize_makes_the_objects_that_helm_makes(cluster: &Cluster) -> Result<()> {
    for (folder, components, values) in SAME {
        let mut plain = objects(&kustomize(cluster, folder, components).await?)?;
        let mut charted = objects(&chart::template(&cluster.lab().tools.helm(), values).await?)?;
        // Helm makes its namespace by itself; the configurations differ where the values do.
        plain.remove("Namespace mayfly");
        let configs = [&mut plain, &mut charted].map(configuration);
        let [plain_config, charted_config] = configs;
        let is_set = values.iter().any(|value| value.starts_with("config."));
        let same = plain_config.transpose()? == charted_config.transpose()?;
        ensure!(same != is_set, "the configurations of {folder} and of {values:?}");
        let names = |objects: &BTreeMap<String, Value>| objects.keys().cloned().collect::<Vec<_>>();
        ensure!(names(&plain) == names(&charted), "{plain:#?} and {charted:#?}");
        for (name, object) in &plain {
            ensure!(*object == charted[name], "{folder}: {object:#} and {:#}", charted[name]);
        }
    }
    Ok(())
}

async fn kustomize(cluster: &Cluster, folder: &str, components: &[&str]) -> Result<String> {
    let manifests = folders::checkout().join("manifests");
    if components.is_empty() {
        return cluster
            .kubectl(&["kustomize", &manifests.join(folder).display().to_string()])
            .await;
    }
    // kustomize reads nothing from above its own folder by an absolute path, so all of it is copied.
    let ground = tempfile::tempdir()?;
    let copy = Program::new("cp").args(["-r"]).args([&manifests]);
    copy.args([ground.path()]).text().await?;
    let paths = |names: &[&str]| names.iter().map(|name| format!("manifests/{name}")).collect();
    let (resources, components): (Vec<String>, Vec<String>) = (paths(&[folder]), paths(components));
    let kustomization = serde_json::json!({"resources": resources, "components": components});
    fs::write(ground.path().join("kustomization.yaml"), kustomization.to_string())?;
    cluster.kubectl(&["kustomize", &ground.path().display().to_string()]).await
}

/// Takes the operator's configuration out of the objects.
fn configuration(objects: &mut BTreeMap<String, Value>) -> Option<Result<Value>> {
    let config = objects.remove("ConfigMap mayfly-webhook")?;
    let text = config["data"]["config.yaml"].as_str().unwrap_or_default();
    Some(serde_saphyr::from_str(text).context("read the configuration"))
}

/// The objects of some documents, by kind and name.
fn objects(yaml: &str) -> Result<BTreeMap<String, Value>> {
    let mut objects = BTreeMap::new();
    for document in yaml.split("\n---\n").map(|document| document.trim_start_matches("---\n")) {
        let object: Value =
            serde_saphyr::from_str(document).with_context(|| document.to_owned())?;
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = format!("{} {}", word(&object["kind"]), word(&object["metadata"]["name"]));
        let before = objects.insert(name, object);
        ensure!(before.is_none_or(|before| before.is_null()), "an object is there twice in {yaml}");
    }
    objects.remove(" ");
    Ok(objects)
}

async fn helm_finds_no_fault_in_the_chart(cluster: &Cluster) -> Result<()> {
    let lint = cluster.lab().tools.helm().args(["lint", "--strict"]);
    let said = lint.args(["--kube-version", chart::OLDEST]).args([chart::path()]).text().await?;
    ensure!(said.contains("0 chart(s) failed"), "helm says {said}");
    Ok(())
}
