//! How long a pod takes to its first instruction, from `kubectl apply` on, in each mode: measured and printed, because
//! the machine decides.
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        progress::show,
        suite::Case,
    },
};
use serde_json::json;

use crate::{
    manifest::{Manifest, SLEEP, container},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![the_time_to_the_first_instruction_is_printed];
    cases.into_iter().map(Case::alone).collect()
}

/// The median is of so many.
const ROUNDS: usize = 5;

/// A kind of pod: its name in the table, and its manifest under a name.
type Shape = (&'static str, fn(&Tenant<'_>, &str) -> Manifest);

const SHAPES: [Shape; 6] = [
    ("plain pod", |_, name| Manifest::plain(name)),
    ("bare native sidecar", |_, name| Manifest::plain(name).init(sidecar())),
    ("parallel", |tenant, name| tenant.vault_pod(name).annotate("mode", "parallel")),
    ("init", |tenant, name| tenant.vault_pod(name).annotate("mode", "init")),
    ("sidecar, hook", |tenant, name| tenant.vault_pod(name).annotate("gate", "hook")),
    ("sidecar, probe", |tenant, name| tenant.vault_pod(name).annotate("gate", "probe")),
];

fn sidecar() -> serde_json::Value {
    let mut sidecar = container("sidecar", SLEEP);
    sidecar["restartPolicy"] = json!("Always");
    sidecar
}

async fn the_time_to_the_first_instruction_is_printed(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "start").await?;
    tenant.put("app").await?;
    let folder = cluster.lab().folders.cluster().join(tenant.namespace.name());
    let mut times = SHAPES.map(|_| Vec::new());
    // In turn, so that what else the machine does befalls them all.
    for round in 0..ROUNDS {
        for (index, (_, shape)) in SHAPES.iter().enumerate() {
            let name = format!("pod-{index}-{round}");
            times[index].push(start(&tenant, shape(&tenant, &name), &name, &folder).await?);
        }
    }
    print(times.map(median));
    Ok(())
}

/// Starts the pod and hands out when its app has run its first instruction, which is to make a file.
async fn start(
    tenant: &Tenant<'_>,
    manifest: Manifest,
    name: &str,
    folder: &Path,
) -> Result<Duration> {
    let host = json!({"path": folder, "type": "DirectoryOrCreate"});
    let manifest = manifest
        .script(&format!(": >/started/{name}; {SLEEP}"))
        .spec("volumes", json!([{"name": "started", "hostPath": host}]))
        .app("volumeMounts", json!([{"name": "started", "mountPath": "/started"}]));
    let applied = SystemTime::now();
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    let file = folder.join(name);
    let made = || async { Ok(tokio::fs::metadata(&file).await?.modified()?) };
    let made = eventually("the first instruction", PATIENCE, made).await?;
    pod.delete().await?;
    Ok(made.duration_since(applied)?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn print(medians: [Duration; SHAPES.len()]) {
    let plain = medians[0].as_secs_f64();
    show(format_args!("\nfrom `kubectl apply` to the first instruction, median of {ROUNDS}:\n"));
    show("| shape               | seconds | over a plain pod |");
    show("|---------------------|---------|------------------|");
    for ((name, _), median) in SHAPES.iter().zip(medians) {
        let seconds = median.as_secs_f64();
        show(format_args!("| {name:19} | {seconds:7.2} | {:16.2} |", seconds - plain));
    }
    show("");
}
