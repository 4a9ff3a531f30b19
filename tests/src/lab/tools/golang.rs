//! The parts that are built from Go modules. Their versions are pinned in `tests/lab/<name>/go.mod` and `go.sum`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::cached;
use crate::lab::{folders, program::Program};

/// Some programs of one Go module.
#[derive(Debug)]
pub struct GoTool {
    name: &'static str,
    version: &'static str,
    packages: &'static [&'static str],
    linker_flags: &'static str,
    /// More of `go build`'s options.
    more: &'static [&'static str],
}

/// The node and its control plane.
pub const KUBERNETES: GoTool = GoTool {
    name: "kubernetes",
    version: "v1.37.2",
    packages: &[
        "k8s.io/kubernetes/cmd/kube-apiserver",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
        "k8s.io/kubernetes/cmd/kube-proxy",
        "k8s.io/kubernetes/cmd/kube-scheduler",
        "k8s.io/kubernetes/cmd/kubectl",
        "k8s.io/kubernetes/cmd/kubelet",
    ],
    // A build from a module knows no version by itself, and the parts compare theirs.
    linker_flags: "-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2 \
                   -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37",
    more: &[],
};

/// Vault's server.
pub const VAULT: GoTool = GoTool {
    name: "vault",
    version: "v1.15.0",
    packages: &["github.com/hashicorp/vault"],
    linker_flags: "-s -w",
    more: &[],
};

/// Helm.
pub const HELM: GoTool = GoTool {
    name: "helm",
    version: "v3.19.0",
    packages: &["helm.sh/helm/v3/cmd/helm"],
    linker_flags: "-s -w",
    more: &[],
};

/// What Go programs read files with, and the kubelet's own reader of variables.
pub const READERS: GoTool = GoTool {
    name: "readers/go",
    version: "v1",
    packages: &["."],
    linker_flags: "-s -w",
    more: &[],
};

/// What the Kubernetes knows of manifests that is the oldest, and what its API server takes for an expression.
pub const OLDEST_SCHEMAS: GoTool = GoTool {
    name: "schemas",
    version: "v0.30.14",
    packages: &["."],
    linker_flags: "-s -w",
    more: &["-tags", "expressions"],
};

/// What the newest Kubernetes knows of manifests.
pub const NEWEST_SCHEMAS: GoTool = GoTool {
    name: "schemas",
    version: "v0.37.2",
    packages: &["."],
    linker_flags: "-s -w",
    more: &["-modfile", "newest.mod"],
};

impl GoTool {
    /// Hands out the folder of its programs, built if need be.
    pub async fn build(&self, tools: &Path) -> Result<PathBuf> {
        let folder = tools.join(format!("{}-{}", self.name, self.version));
        let what = format!("{} {} (some minutes)", self.name, self.version);
        cached(folder, &what, |folder| self.compile(folder)).await
    }

    /// The same for a program of the lab's own, whose source may have changed; Go knows what is left to do.
    pub async fn build_again(&self, tools: &Path) -> Result<PathBuf> {
        let folder = tools.join(format!("{}-{}", self.name, self.version));
        fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        self.compile(folder.clone()).await?;
        Ok(folder)
    }

    async fn compile(&self, into: PathBuf) -> Result<()> {
        let go = Program::new("go").args(["env", "GOVERSION"]).at_home().text().await;
        ensure!(
            go.context("install Go 1.26 or newer")?.starts_with("go1."),
            "`go` is not the Go that is meant"
        );
        // Nice, because people go on working while it builds.
        Program::new("nice")
            .args([
                "-n",
                "10",
                "go",
                "build",
                "-trimpath",
                "-buildvcs=false",
                "-ldflags",
                self.linker_flags,
                "-o",
            ])
            .args([&into])
            .args(self.more)
            .args(self.packages)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-mod=readonly")
            .env("GOTOOLCHAIN", "local")
            .env("GOWORK", "off")
            .at_home()
            .folder(folders::data(self.name))
            .show()
            .await
    }
}
