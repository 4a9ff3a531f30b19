//! How a cluster goes away: one way for every end, be it orderly, by Ctrl-C, or found left behind by an earlier run.
//! It asks no part of the cluster for help, and touches nothing that it cannot prove to be the lab's.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::{
    mount::{UnmountFlags, unmount},
    process::{Pid, Signal, kill_process},
};

use tokio::sync::Mutex;

use super::{
    condition::eventually, daemon::Daemons, folders::Folders, network, node, program::Program,
};

/// A killed process is gone at once, unless the kernel is busy with its memory.
const GONE: Duration = Duration::from_secs(20);

/// Folders that the parts make wherever they are told to live, inner ones first.
const EMPTIED: [&str; 6] = [
    "/run/containerd/s",
    "/run/containerd",
    "/var/lib/cni/results",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
    "/var/log/containers",
];

/// Ends everything and removes everything but the tools and the logs.
pub async fn sweep(folders: &Folders) -> Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    let cluster = folders.cluster();
    let daemons = Daemons::open(folders)?;
    // The kubelet first: it would start again what is ended behind its back. The others in the order of their needs.
    for name in ["kubelet".to_owned()].into_iter().chain(daemons.names()) {
        daemons.kill(&name).await?;
    }
    end_containers(&cluster).await?;
    unmount_below(folders.cache())?;
    remove_sockets(&cluster);
    let sandboxes = sandboxes(&cluster);
    remove_files("/var/lib/cni/results", |name, _| sandboxes.iter().any(|id| name.contains(id)));
    remove_files("/var/lib/kubelet/device-plugins", |name, _| name == "kubelet.sock");
    remove_files("/var/log/containers", |_, target| {
        target.is_some_and(|to| to.starts_with(folders.cache()))
    });
    remove_services(folders).await?;
    network::remove(&cluster).await?;
    remove_cgroups();
    for folder in EMPTIED {
        // One that is in use is not empty, and stays.
        let _ = fs::remove_dir(folder);
    }
    match fs::remove_dir_all(&cluster) {
        Err(error) if cluster.exists() => {
            Err(error).with_context(|| format!("remove {}", cluster.display()))
        }
        _ => Ok(()),
    }
}

/// Whether there is something to sweep.
pub fn is_needed(folders: &Folders) -> bool {
    folders.cluster().exists()
}

/// Kills the containers' processes and then their shims, which are known by our containerd's address.
async fn end_containers(cluster: &Path) -> Result<()> {
    let socket = node::socket(cluster).display().to_string();
    eventually("the containers to end", GONE, || async {
        let processes = processes();
        let ours: Vec<i32> = processes
            .iter()
            .filter(|process| process.is_shim_of(&socket))
            .map(|shim| shim.pid)
            .collect();
        for pid in descendants(&processes, ours.clone()).into_iter().rev() {
            // One that has ended meanwhile is what is wanted.
            let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
        }
        ensure!(ours.is_empty(), "{} shims still run", ours.len());
        Ok(())
    })
    .await
}

struct Process {
    pid: i32,
    parent: i32,
    arguments: Vec<String>,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let (_, parent) =
            (fields.next().filter(|&state| state != "Z")?, fields.next()?.parse().ok()?);
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let arguments = String::from_utf8_lossy(&line).split('\0').map(Into::into).collect();
        Some(Self { pid, parent, arguments })
    }

    fn is_shim_of(&self, socket: &str) -> bool {
        let is_shim =
            self.arguments.first().is_some_and(|program| program.contains("containerd-shim"));
        is_shim && self.arguments.windows(2).any(|pair| pair[0] == "-address" && pair[1] == socket)
    }
}

fn processes() -> Vec<Process> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders.filter_map(|folder| Process::read(folder.file_name().to_str()?.parse().ok()?)).collect()
}

/// The processes and all that came from them, parents first.
fn descendants(processes: &[Process], mut family: Vec<i32>) -> Vec<i32> {
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(
            processes.iter().filter(|process| process.parent == parent).map(|process| process.pid),
        );
        next += 1;
    }
    family
}

/// Unmounts whatever is mounted in a folder, the last mounted first.
fn unmount_below(folder: &Path) -> Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("read the mount table")?;
    let points = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| PathBuf::from(unescape(point)));
    let points: Vec<PathBuf> = points.filter(|point| point.starts_with(folder)).collect();
    for point in points.iter().rev() {
        unmount(point, UnmountFlags::DETACH)
            .with_context(|| format!("unmount {}", point.display()))?;
    }
    Ok(())
}

/// The mount table writes blanks and the like in octal.
fn unescape(point: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(point.to_owned(), |point, (octal, character)| point.replace(octal, character))
}

/// The shims' sockets lie outside; each bundle says which is its own.
fn remove_sockets(cluster: &Path) {
    let bundles = cluster.join("containerd-state/io.containerd.runtime.v2.task/k8s.io");
    for bundle in fs::read_dir(bundles).into_iter().flatten().flatten() {
        let address = fs::read_to_string(bundle.path().join("address")).unwrap_or_default();
        if let Some(socket) = address.strip_prefix("unix://") {
            // The shim may have removed it itself.
            let _ = fs::remove_file(socket);
        }
    }
}

/// The ids of all pods' sandboxes that containerd remembers.
fn sandboxes(cluster: &Path) -> Vec<String> {
    let folder = cluster.join("containerd/io.containerd.grpc.v1.cri/sandboxes");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Removes the files of a shared folder that are ours by their name or by where they point.
fn remove_files(folder: &str, is_ours: impl Fn(&str, Option<PathBuf>) -> bool) {
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_ours(&file.file_name().to_string_lossy(), fs::read_link(file.path()).ok()) {
            // Somebody who tidies up as well may have been first.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// kube-proxy's rules, which only kube-proxy knows.
async fn remove_services(folders: &Folders) -> Result<()> {
    let config = folders.cluster().join("kube-proxy.yaml");
    let proxy = fs::read_dir(folders.tools()).into_iter().flatten().flatten();
    let proxy = proxy.map(|tool| tool.path().join("kube-proxy")).find(|program| program.exists());
    match proxy {
        Some(proxy) if config.exists() => {
            Program::new(proxy).args(["--cleanup"]).text().await.map(drop)
        }
        _ => Ok(()),
    }
}

/// The kubelet's groups; one that is not empty is not ours, and stays.
fn remove_cgroups() {
    let hierarchies =
        fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    for root in hierarchies.chain([PathBuf::from("/sys/fs/cgroup")]) {
        remove_cgroup(&root.join("kubepods"));
    }
}

fn remove_cgroup(group: &Path) {
    for child in fs::read_dir(group).into_iter().flatten().flatten() {
        if child.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&child.path());
        }
    }
    // Fails for what is in use, as it should.
    let _ = fs::remove_dir(group);
}
