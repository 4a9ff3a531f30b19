//! The node under a pod, as its root sees it: processes, volumes, mounts. It looks where nothing of Kubernetes is asked.
#![expect(
    clippy::disallowed_methods,
    reason = "a test that looks at the node itself reads its files"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use mayfly_tests::lab::{
    cluster::Cluster,
    condition::{PATIENCE, eventually},
    pod::Pod,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The volume that the files are in, by its name in the pod.
pub(crate) const SECRETS: &str = "mayfly-secrets";

/// The kubelet's folder for everything of one pod.
pub(crate) fn pod_folder(cluster: &Cluster, uid: &str) -> PathBuf {
    cluster.lab().folders.cluster().join("kubelet/pods").join(uid)
}

/// An in-memory volume of a pod, as a folder of the node.
pub(crate) async fn volume(cluster: &Cluster, pod: &Pod, name: &str) -> Result<PathBuf> {
    let folder = pod_folder(cluster, &pod.uid().await?);
    Ok(folder.join("volumes/kubernetes.io~empty-dir").join(name))
}

/// Where something is mounted on this machine, and of which kind it is.
pub(crate) fn mounts() -> Result<Vec<(PathBuf, String)>> {
    let table = fs::read_to_string("/proc/mounts").context("read the mount table")?;
    let mounts = table.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((PathBuf::from(fields.next()?), fields.next()?.to_owned()))
    });
    Ok(mounts.collect())
}

/// The mounts below a folder.
pub(crate) fn mounts_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let points = mounts()?.into_iter().map(|(point, _)| point);
    Ok(points.filter(|point| point.starts_with(folder)).collect())
}

/// The status of a container, of whatever kind it is.
pub(crate) async fn container_status(pod: &Pod, name: &str) -> Result<Value> {
    let status = pod.json().await?["status"].take();
    let lists = ["initContainerStatuses", "containerStatuses"].map(|list| status[list].as_array());
    let found = lists.into_iter().flatten().flatten().find(|container| container["name"] == name);
    found.cloned().with_context(|| format!("there is no container {name} in {status}"))
}

/// How often a container was started again.
pub(crate) async fn restarts(pod: &Pod, container: &str) -> Result<u64> {
    let status = container_status(pod, container).await?;
    status["restartCount"].as_u64().with_context(|| format!("{container} is {status}"))
}

/// Waits until the agent was started, be it held up in its hook, of which the pod's status tells nothing.
pub(crate) async fn agent_has_started(pod: &Pod) -> Result<()> {
    let started = || async {
        let described = pod.describe().await?;
        ensure!(described.contains("{mayfly-agent}: Container started"), "{described}");
        Ok(())
    };
    eventually("the agent to be started", PATIENCE, started).await
}

/// Waits until the agent was started again once and is ready.
pub(crate) async fn agent_is_back(pod: &Pod) -> Result<Value> {
    let back = || async {
        let agent = container_status(pod, "mayfly-agent").await?;
        ensure!(agent["restartCount"] == 1 && agent["ready"] == true, "the agent is {agent}");
        Ok(agent)
    };
    eventually("the agent to be back", PATIENCE, back).await
}

/// The first process of a container, by its id on the node.
pub(crate) async fn process(cluster: &Cluster, pod: &Pod, container: &str) -> Result<Pid> {
    let status = container_status(pod, container).await?;
    let id = status["containerID"].as_str().and_then(|id| id.strip_prefix("containerd://"));
    let id = id.with_context(|| format!("{container} does not run: {status}"))?;
    let tasks = cluster.ctr(&["tasks", "list"]).await?;
    let task = tasks.lines().find_map(|line| line.strip_prefix(id));
    let pid = task.and_then(|task| task.split_whitespace().next()?.parse().ok());
    pid.and_then(Pid::from_raw).with_context(|| format!("{id} is not among {tasks}"))
}

/// Ends a container's first process as nobody can prevent.
pub(crate) async fn kill(cluster: &Cluster, pod: &Pod, container: &str) -> Result<()> {
    let pid = process(cluster, pod, container).await?;
    kill_process(pid, Signal::KILL).with_context(|| format!("kill {container}"))
}

/// Leaves a process's group hardly more memory than it has, as a machine that runs out of it does.
pub(crate) fn starve(pid: Pid) -> Result<()> {
    let pid = pid.as_raw_nonzero();
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).context("read its groups")?;
    let path = |controller: &str| groups.lines().find_map(|line| line.split_once(controller));
    let (group, usage, limit) = if let Some((_, path)) = path(":memory:") {
        (format!("/sys/fs/cgroup/memory{path}"), "memory.usage_in_bytes", "memory.limit_in_bytes")
    } else {
        let (_, path) = path("::").context("a process has a group")?;
        (format!("/sys/fs/cgroup{path}"), "memory.current", "memory.max")
    };
    let group = Path::new(&group);
    let usage = fs::read_to_string(group.join(usage)).context("read the memory in use")?;
    fs::write(group.join(limit), usage.trim()).context("lower the limit")
}
