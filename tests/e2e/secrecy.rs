//! The last test of all: where no secret may be, there is none of those that all other tests have made.
#![expect(clippy::disallowed_methods, reason = "secrets are looked for in files")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
        progress::show,
        suite::Case,
    },
};
use serde_json::json;

use crate::{
    canary,
    host::{mounts, pod_folder},
    manifest::{Manifest, SLEEP},
    search::Search,
    tenant::Tenant,
};

/// It has to be the last in the list of topics.
pub(crate) fn cases() -> Vec<Case> {
    cases![no_secret_is_anywhere_but_in_memory_and_in_the_backends]
        .into_iter()
        .map(Case::alone)
        .collect()
}

async fn no_secret_is_anywhere_but_in_memory_and_in_the_backends(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "secrecy").await?;
    let pods = in_all_modes(&tenant).await?;
    let spill = Spill::make(&tenant).await?;
    let canaries = canary::all();
    ensure!(!canaries.is_empty(), "no test has made a secret");
    show(format_args!("looking for {} secrets", canaries.len()));
    let found = Found::of(cluster, canaries.iter().map(String::as_str)).await?;
    for pod in pods {
        let is_seen = found.is_in_memory_of(cluster, &pod).await?;
        ensure!(is_seen, "the search does not see the files of {}", pod.name());
    }
    let places = found.places();
    ensure!(places.is_empty(), "there are secrets in {places:#?}");
    spill.is_found(cluster).await
}

/// Pods at work while the search looks: processes and mounts of other tests are gone by then.
async fn in_all_modes(tenant: &Tenant<'_>) -> Result<Vec<Pod>> {
    tenant.put("app").await?;
    tenant.create("db").await?;
    let mut pods = vec![];
    for mode in ["sidecar", "init", "parallel"] {
        let manifest = tenant
            .vault_pod(mode)
            .annotate("mode", mode)
            .annotate("path-env", "VALUE_FILE=value")
            .annotate("aws-role-arn", &tenant.role)
            .annotate("file.db", &format!("aws-sm:{}", tenant.id("db")));
        pods.push(tenant.run(&manifest).await?);
    }
    Ok(pods)
}

/// Strings that are spilled on purpose, one for each kind of place, so that the search is seen to look there.
struct Spill(BTreeMap<&'static str, String>);

impl Spill {
    async fn make(tenant: &Tenant<'_>) -> Result<Self> {
        let stain = |_| format!("control{:032x}", fastrand::u128(..));
        let kinds = ["etcd", "log", "environment", "arguments", "event", "disk", "base64"];
        let stains: BTreeMap<_, _> = kinds.into_iter().map(|kind| (kind, stain(kind))).collect();
        let encoded = BASE64.encode(format!("x{}", stains["base64"]));
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "spill"},
            "data": {"stain": stains["etcd"], "encoded": encoded}});
        tenant.namespace.apply_all(&object.to_string()).await?;
        let script = format!(
            "echo {}; echo {} >/on-disk; : {}; {SLEEP}",
            stains["log"], stains["disk"], stains["arguments"]
        );
        let environment = json!([{"name": "STAIN", "value": stains["environment"]}]);
        tenant.run(&Manifest::plain("spill").script(&script).app("env", environment)).await?;
        let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "spill"},
            "reason": "Spill", "message": stains["event"], "type": "Normal",
            "involvedObject": {"kind": "Pod", "name": "spill", "namespace": tenant.namespace.name()}});
        tenant.namespace.apply_all(&event.to_string()).await?;
        Ok(Self(stains))
    }

    /// Each is found by the very search that finds no secret.
    async fn is_found(&self, cluster: &Cluster) -> Result<()> {
        for (kind, stain) in &self.0 {
            let seen = || async {
                let places = Found::of(cluster, [&**stain]).await?.places();
                let is_told = |word: &str| places.iter().any(|place| place.contains(word));
                let words: &[&str] = match *kind {
                    "etcd" | "base64" => &["/etcd/", "/audit"],
                    "log" => &["/pods/"],
                    "environment" => &["/environ"],
                    "arguments" => &["/cmdline"],
                    "event" => &["/etcd/", "events"],
                    _ => &["/containerd/"],
                };
                ensure!(words.iter().all(|word| is_told(word)), "{kind} is only in {places:?}");
                Ok(())
            };
            eventually(&format!("the search to find the {kind}'s stain"), PATIENCE, seen).await?;
        }
        Ok(())
    }
}

/// Where a search has found something.
struct Found {
    files: Vec<PathBuf>,
    objects: bool,
    pods: PathBuf,
    in_memory: Vec<PathBuf>,
}

impl Found {
    /// Looks through the node, the logs, the processes, and what the API server tells of events.
    async fn of(cluster: &Cluster, secrets: impl IntoIterator<Item = &str>) -> Result<Self> {
        let search = Search::of(secrets);
        let folders = &cluster.lab().folders;
        let (node, logs) = (folders.cluster(), folders.logs());
        let mut roots = vec![node.clone(), logs];
        roots.extend(processes()?);
        roots.extend(core_files()?);
        let roots: Vec<&Path> = roots.iter().map(PathBuf::as_path).collect();
        // A pod that goes while the search looks has its memory in the first list, one that comes in the second.
        let mut in_memory = in_memory()?;
        let files = search.below(&roots).await?;
        let events = cluster.kubectl(&["get", "events", "--all-namespaces", "--output=json"]);
        let objects = search.is_in(&events.await?);
        in_memory.extend(self::in_memory()?);
        Ok(Self { files, objects, pods: node.join("kubelet/pods"), in_memory })
    }

    /// The places where nothing may be: all but the pods' own memory.
    fn places(&self) -> Vec<String> {
        let files = self.files.iter().filter(|file| !self.is_in_memory(file));
        let events = self.objects.then(|| "events".to_owned());
        files.map(|file| file.display().to_string()).chain(events).collect()
    }

    fn is_in_memory(&self, file: &Path) -> bool {
        let is_above = |point: &PathBuf| file.starts_with(point) && point.starts_with(&self.pods);
        self.in_memory.iter().any(is_above)
    }

    async fn is_in_memory_of(&self, cluster: &Cluster, pod: &Pod) -> Result<bool> {
        let folder = pod_folder(cluster, &pod.uid().await?);
        Ok(self.files.iter().any(|file| file.starts_with(&folder) && self.is_in_memory(file)))
    }
}

/// Where this machine's memory is mounted now.
fn in_memory() -> Result<Vec<PathBuf>> {
    let mounts = mounts()?.into_iter().filter(|(_, kind)| kind == "tmpfs");
    Ok(mounts.map(|(point, _)| point).collect())
}

/// The environment and the command line of every process.
fn processes() -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir("/proc").context("list the processes")?.flatten();
    let is_process = |path: &PathBuf| path.join("environ").exists();
    let processes = entries.map(|entry| entry.path()).filter(is_process);
    Ok(processes
        .flat_map(|process| ["environ", "cmdline"].map(|file| process.join(file)))
        .collect())
}

/// The core files of the lab's own programs; those of containers lie in the containers' folders.
fn core_files() -> Result<Vec<PathBuf>> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let here = env::current_dir().context("find the current folder")?;
    let folder = here.join(Path::new(pattern.trim()).parent().unwrap_or_else(|| Path::new("")));
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    Ok(files.filter(|file| file.is_file() && is_core(file)).collect())
}

fn is_core(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("core"))
}
