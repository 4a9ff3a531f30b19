//! The pod is gone, however it went: no mount of it, no folder, and none of its secrets remains on the node.
#![expect(clippy::disallowed_methods, reason = "what remains on the node is seen in its files")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
        suite::Case,
    },
};
use serde_json::json;

use crate::{
    host::{SECRETS, mounts_below, pod_folder, volume},
    search::Search,
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = cases![
        nothing_remains_of_a_deleted_pod,
        nothing_remains_of_a_pod_deleted_by_force,
        nothing_remains_of_an_evicted_pod,
        nothing_remains_of_a_completed_pod,
    ];
    let alone = cases![
        nothing_remains_of_a_pod_whose_deletion_the_kubelet_did_not_live_to_see,
        nothing_remains_of_a_pod_deleted_by_force_while_the_kubelet_was_down,
    ];
    cases.extend(alone.into_iter().map(Case::alone));
    cases
}

/// A pod that has its secret, and what of it lies on the node.
struct Trace<'a> {
    tenant: Tenant<'a>,
    pod: Pod,
    folder: PathBuf,
    search: Search,
}

impl<'a> Trace<'a> {
    /// Runs a pod, and makes sure that its secret is found where it is to be: the search can see.
    async fn leave(cluster: &'a Cluster, topic: &str) -> Result<Self> {
        let tenant = Tenant::new(cluster, topic).await?;
        let value = tenant.put("app").await?;
        let pod = tenant.run(&tenant.vault_pod("web")).await?;
        let folder = pod_folder(cluster, &pod.uid().await?);
        let files = volume(cluster, &pod, SECRETS).await?;
        ensure!(mounts_below(&folder)?.contains(&files), "{} is no mount", files.display());
        let search = Search::of([&*value]);
        let found = search.below(&[&files]).await?;
        ensure!(!found.is_empty(), "the secret is not even where it is to be");
        Ok(Self { tenant, pod, folder, search })
    }

    /// Waits until no mount and no folder of the pod is there, and looks for its secret on the whole node.
    async fn vanishes(&self) -> Result<()> {
        let gone = || async {
            let mounts = mounts_below(&self.folder)?;
            ensure!(mounts.is_empty(), "there are still mounts: {mounts:?}");
            ensure!(!self.folder.exists(), "{} is still there", self.folder.display());
            Ok(())
        };
        eventually("the pod's folder to go away", PATIENCE, gone).await?;
        let node = self.tenant.cluster.lab().folders.cluster();
        let found = self.search.below(&[&node]).await?;
        ensure!(found.is_empty(), "the secret of a pod that is gone lies in {found:?}");
        ensure!(!is_mounted_by_anybody(&self.folder)?, "a process still has a mount of the pod");
        Ok(())
    }

    async fn evict(&self) -> Result<()> {
        let (namespace, name) = (self.tenant.namespace.name(), self.pod.name());
        let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace}});
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/eviction");
        let post = self.tenant.cluster.lab().kubectl_program();
        let post = post.args(["create", "--raw", &path, "--filename=-"]);
        post.input(eviction.to_string()).text().await.map(drop)
    }

    /// Asks for the deletion and waits for nothing.
    async fn begin_deletion(&self) -> Result<()> {
        let delete = ["delete", "pod", self.pod.name(), "--wait=false"];
        self.tenant.namespace.kubectl(&delete).await.map(drop)
    }
}

/// Whether some process, in a mount namespace of its own, still sees a mount whose source is in the folder.
fn is_mounted_by_anybody(folder: &Path) -> Result<bool> {
    let folder = folder.to_str().context("the lab's folders are text")?;
    let processes = fs::read_dir("/proc").context("list the processes")?.flatten();
    let tables = processes.map(|process| process.path().join("mountinfo"));
    // A process that ends meanwhile has no mounts any more.
    Ok(tables
        .filter_map(|table| fs::read_to_string(table).ok())
        .any(|table| table.contains(folder)))
}

async fn nothing_remains_of_a_deleted_pod(cluster: &Cluster) -> Result<()> {
    let trace = Trace::leave(cluster, "deleted").await?;
    trace.pod.delete().await?;
    trace.vanishes().await
}

async fn nothing_remains_of_a_pod_deleted_by_force(cluster: &Cluster) -> Result<()> {
    let trace = Trace::leave(cluster, "forced").await?;
    trace.pod.delete_by_force().await?;
    trace.vanishes().await
}

async fn nothing_remains_of_an_evicted_pod(cluster: &Cluster) -> Result<()> {
    let trace = Trace::leave(cluster, "evicted").await?;
    trace.evict().await?;
    trace.vanishes().await
}

/// It stays in the API, but its memory is given back when its last container has ended.
async fn nothing_remains_of_a_completed_pod(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "completed").await?;
    let value = tenant.put("app").await?;
    let manifest = tenant.vault_pod("web").script("test -s /run/mayfly/value");
    let manifest = manifest.spec("restartPolicy", json!("Never"));
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    pod.succeeded().await?;
    let folder = pod_folder(cluster, &pod.uid().await?);
    let gone = || async {
        let mounts = mounts_below(&folder)?;
        ensure!(mounts.is_empty(), "there are still mounts: {mounts:?}");
        Ok(())
    };
    eventually("the memory to be given back", PATIENCE, gone).await?;
    let found = Search::of([&*value]).below(&[&cluster.lab().folders.cluster()]).await?;
    ensure!(found.is_empty(), "the secret of a completed pod lies in {found:?}");
    Ok(())
}

async fn nothing_remains_of_a_pod_whose_deletion_the_kubelet_did_not_live_to_see(
    cluster: &Cluster,
) -> Result<()> {
    let trace = Trace::leave(cluster, "kubelet").await?;
    trace.begin_deletion().await?;
    cluster.restart_kubelet().await?;
    trace.vanishes().await
}

/// The new kubelet finds a pod on its node that the API server has never heard of.
async fn nothing_remains_of_a_pod_deleted_by_force_while_the_kubelet_was_down(
    cluster: &Cluster,
) -> Result<()> {
    let trace = Trace::leave(cluster, "orphaned").await?;
    cluster.lab().daemons.kill("kubelet").await?;
    let deleted = trace.pod.delete_by_force().await;
    cluster.restart_kubelet().await?;
    deleted?;
    trace.vanishes().await
}
