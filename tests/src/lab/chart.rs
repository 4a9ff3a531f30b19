//! The chart, and the plain manifests that are made from it. The chart is the source; `cargo e2e manifests` writes the
//! others anew, and a test sees to it that nobody forgets.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    folders::{self, Folders},
    install::NAMESPACE,
    program::Program,
    tools::golang,
};

/// The name of a release.
pub const RELEASE: &str = "mayfly";

/// The oldest Kubernetes that the chart is for.
pub const OLDEST: &str = "1.30.0";

/// What stands between the manifests in Helm's output.
const SOURCE: &str = "---\n# Source: mayfly/templates/";

/// The first line of a file that is made.
const HEADER: &str =
    "# Made from manifests/chart by `cargo e2e manifests`: what you change here is lost.\n";

/// A folder of plain manifests: what the chart makes of some values, or a part of it.
#[derive(Debug)]
pub struct Rendering {
    /// The folder's name below `manifests`.
    pub folder: &'static str,
    /// The values that differ from the chart's own, as `--set` takes them.
    pub values: &'static [&'static str],
    /// The names of the chart's templates whose results are in the folder.
    pub files: &'static [&'static str],
}

/// Every folder with files that are made from the chart.
pub const RENDERINGS: [Rendering; 4] = [
    Rendering {
        folder: "kubernetes",
        values: &[],
        // Without the ConfigMap: kustomize makes it of config.yaml.
        files: &[
            "deployment",
            "mutating-webhook",
            "network-policy",
            "pod-disruption-budget",
            "rbac",
            "service",
            "service-account",
            "validating-policy",
            "workload-warnings",
        ],
    },
    Rendering {
        folder: "cert-manager",
        values: &["tls.mode=cert-manager"],
        files: &["certificate"],
    },
    Rendering {
        folder: "namespaces",
        values: &["config.namespace-annotations=true"],
        files: &["namespaces"],
    },
    Rendering {
        folder: "outside",
        values: &["tls.mode=secret", "url=https://mayfly-webhook.example:8443"],
        files: &["mutating-webhook", "validating-policy", "workload-warnings"],
    },
];

impl Rendering {
    /// The folder's files, with what is to be in them.
    pub async fn render(&self, helm: &Program) -> Result<BTreeMap<PathBuf, String>> {
        let all = template(helm, self.values).await?;
        let made = by_template(&all);
        let folder = folders::checkout().join("manifests").join(self.folder);
        let file = |&name: &&str| {
            let content = made.get(name).with_context(|| format!("the chart has no {name}.yaml"));
            Ok((folder.join(format!("{name}.yaml")), format!("{HEADER}{}", content?)))
        };
        self.files.iter().map(file).collect()
    }
}

/// Where the chart is.
pub fn path() -> PathBuf {
    folders::checkout().join("manifests/chart")
}

/// What Helm makes of the chart with some values, on the oldest Kubernetes.
pub async fn template(helm: &Program, values: &[&str]) -> Result<String> {
    let options = ["--namespace", NAMESPACE, "--kube-version", OLDEST];
    let values = values.iter().flat_map(|value| ["--set", value]);
    let template = helm.clone().args(["template", RELEASE]).args([path()]).args(options);
    template.args(values).text().await.context("render the chart")
}

/// Writes all plain manifests anew.
pub async fn write() -> Result<()> {
    let tools = Folders::find()?.tools();
    let helm = Program::new(golang::HELM.build(&tools).await?.join("helm"));
    for rendering in RENDERINGS {
        for (path, content) in rendering.render(&helm).await? {
            folders::write(Path::new(&path), content)?;
        }
    }
    Ok(())
}

/// Helm's output by the templates' names.
fn by_template(all: &str) -> BTreeMap<&str, String> {
    let mut made = BTreeMap::<&str, String>::new();
    for (name, manifest) in all.split(SOURCE).filter_map(|part| part.split_once(".yaml\n")) {
        let file = made.entry(name).or_default();
        if !file.is_empty() {
            file.push_str("---\n");
        }
        file.push_str(manifest.trim_end());
        file.push('\n');
    }
    made
}
