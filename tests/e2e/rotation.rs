//! Secrets change: within an interval, all files of a group together, without a restart.
#![expect(clippy::disallowed_methods, reason = "the node tells what a process takes in files")]

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
        progress::say,
        suite::Case,
    },
};
use serde_json::json;

use crate::{
    canary,
    host::process,
    manifest::{Manifest, container},
    tenant::{Tenant, status},
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_new_version_arrives_without_a_restart,
        aws_and_vault_change_in_the_same_pod,
        a_reader_never_sees_a_missing_partial_or_mixed_file,
        a_secret_that_fails_keeps_no_other_from_rotating,
        ten_thousand_refreshes_grow_nothing,
    ]
}

async fn becomes(pod: &Pod, path: &str, value: &str) -> Result<()> {
    let changed = || async {
        let seen = pod.file(path).await?;
        ensure!(seen == value, "{path} still holds {seen:?}");
        Ok(())
    };
    eventually("the new version", PATIENCE, changed).await
}

async fn a_new_version_arrives_without_a_restart(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "rotate").await?;
    let old = tenant.put("app").await?;
    let pod = tenant.run(&tenant.vault_pod("web")).await?;
    ensure!(pod.file("/run/mayfly/value").await? == old);
    let first = status(&pod).await?["generation"].clone();
    let new = tenant.put("app").await?;
    becomes(&pod, "/run/mayfly/value", &new).await?;
    let second = status(&pod).await?["generation"].clone();
    ensure!(first != second, "both generations are {first}");
    let statuses = pod.json().await?["status"].to_string();
    ensure!(!statuses.contains("\"restartCount\":1"), "a container was restarted: {statuses}");
    Ok(())
}

async fn aws_and_vault_change_in_the_same_pod(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "rotate-both").await?;
    tenant.put("app").await?;
    tenant.create("db").await?;
    let manifest = tenant
        .vault_pod("web")
        .annotate("aws-role-arn", &tenant.role)
        .annotate("file.db", &format!("aws-sm:{}", tenant.id("db")));
    let pod = tenant.run(&manifest).await?;
    let (ours, theirs) = (tenant.put("app").await?, canary::secret());
    cluster.aws().put_secret(&tenant.id("db"), &theirs).await?;
    becomes(&pod, "/run/mayfly/value", &ours).await?;
    becomes(&pod, "/run/mayfly/db", &theirs).await
}

/// Opens the generation once and reads both pairs through it, as the README tells programs that need a pair. The two of
/// each group must be the same number, eight digits long; each visible name must be readable at any time.
const READER: &str = r#"
    n=0
    while ! test -e /stop/now; do
        cd -P /run/mayfly/..data || { echo "no generation" >>/stop/faults; continue; }
        a=$(cat a) && b=$(cat b) || { test -e a || { cd /; continue; }; echo "missing" >>/stop/faults; }
        test ${#a} = 8 || echo "partial $a" >>/stop/faults
        test "$a" = "$b" || echo "mixed $a $b" >>/stop/faults
        c=$(cat c) && d=$(cat d) || { test -e c || { cd /; continue; }; echo "missing" >>/stop/faults; }
        test "$c" = "$d" || echo "mixed $c $d" >>/stop/faults
        cat /run/mayfly/a /run/mayfly/b /run/mayfly/c /run/mayfly/d >/dev/null || echo "unreadable" >>/stop/faults
        n=$((n+1)); echo $n >/stop/reads
    done
    sleep 3600
"#;

async fn a_reader_never_sees_a_missing_partial_or_mixed_file(cluster: &Cluster) -> Result<()> {
    let wanted = if cluster.soak() { 20_000 } else { 2_000 };
    let tenant = Tenant::new(cluster, "reader").await?;
    rotate(&tenant, 0).await?;
    let pod = tenant.run(&reader(&tenant)).await?;
    let (mut number, mut generation) = (0, 0);
    while generation < wanted {
        for _ in 0..100 {
            number += 1;
            rotate(&tenant, number).await?;
        }
        generation = status(&pod).await?["generation"].as_u64().context("a number")?;
    }
    becomes(&pod, "/run/mayfly/a", &format!("{number:08}")).await?;
    let faults = "touch /stop/now; cat /stop/faults 2>/dev/null || true";
    let faults = pod.exec(&["sh", "-c", faults]).await?;
    let reads: u64 = pod.file("/stop/reads").await?.trim().parse()?;
    ensure!(faults.is_empty(), "after {reads} reads of {generation} generations: {faults}");
    ensure!(reads > generation / 2, "only {reads} reads of {generation} generations");
    Ok(())
}

async fn rotate(tenant: &Tenant<'_>, number: u64) -> Result<()> {
    let value = format!("{number:08}");
    // The other group changes a third as often, so that it is mostly carried over.
    if number.is_multiple_of(3) {
        tenant.put_data("other", json!({"c": value, "d": value})).await?;
    }
    tenant.put_data("pair", json!({"a": value, "b": value})).await
}

/// A key that is no more, beside a secret that goes on.
async fn a_secret_that_fails_keeps_no_other_from_rotating(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "apart").await?;
    tenant.put("app").await?;
    tenant.put_data("other", json!({"key": "one"})).await?;
    let other = format!("vault:{}#key", tenant.path("other"));
    let pod = tenant.run(&tenant.vault_pod("web").annotate("file.other", &other)).await?;
    tenant.put_data("other", json!({"another": "two"})).await?;
    let stale = || async {
        let status = status(&pod).await?;
        ensure!(status["state"] == "stale", "the status is {status}");
        Ok(())
    };
    eventually("the status to tell of it", PATIENCE, stale).await?;
    let new = tenant.put("app").await?;
    becomes(&pod, "/run/mayfly/value", &new).await?;
    ensure!(pod.file("/run/mayfly/other").await? == "one", "the other file did not stay");
    tenant.put_data("other", json!({"key": "three"})).await?;
    becomes(&pod, "/run/mayfly/other", "three").await
}

/// How much the agent's process has in memory, in KiB, and how many files it has open.
async fn extent(cluster: &Cluster, pod: &Pod) -> Result<(u64, usize)> {
    let pid = process(cluster, pod, "mayfly-agent").await?.as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("its status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()).context("its memory")?;
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).context("its files")?.count();
    Ok((kibibytes.parse()?, open))
}

/// Looks, and nothing changes: neither does what the agent takes. The numbers are in the note of the run.
async fn ten_thousand_refreshes_grow_nothing(cluster: &Cluster) -> Result<()> {
    let wanted = if cluster.soak() { 10_000 } else { 300 };
    let tenant = Tenant::new(cluster, "refreshes").await?;
    tenant.put("app").await?;
    let pod = tenant.run(&tenant.vault_pod("web").annotate("refresh", "200ms")).await?;
    let mut looks = 0;
    let mut looked = String::new();
    let mut first = None;
    while looks < wanted {
        // A status is to the second, in which five looks are made.
        let now = status(&pod).await?["looked"].to_string();
        if now == looked {
            continue;
        }
        (looked, looks) = (now, looks + 5);
        if first.is_none() && looks * 10 >= wanted {
            first = Some(extent(cluster, &pod).await?);
        }
    }
    let (memory, files) = first.context("a first measure")?;
    let (memory_then, files_then) = extent(cluster, &pod).await?;
    say(format_args!(
        "{looks} refreshes: {memory} KiB became {memory_then}, {files} open files {files_then}"
    ));
    ensure!(memory_then <= memory + 512, "{memory} KiB became {memory_then}");
    ensure!(files_then <= files + 4, "{files} open files became {files_then}");
    Ok(())
}

/// A pod whose agent looks five times a second, fifty times as often as operators allow by default, beside a container
/// that reads without a pause. A replaced generation stays for two seconds, unless its room is needed; so at a pace of
/// milliseconds a reader that is held up inside one path lookup could find it gone.
fn reader(tenant: &Tenant<'_>) -> Manifest {
    let stop = json!([{"name": "stop", "mountPath": "/stop"}]);
    let mut reader = container("reader", READER);
    reader["volumeMounts"] = stop.clone();
    let (path, other) = (tenant.path("pair"), tenant.path("other"));
    tenant
        .asking("web")
        .annotate("refresh", "200ms")
        .annotate("file.a", &format!("vault:{path}#a"))
        .annotate("file.b", &format!("vault:{path}#b"))
        .annotate("file.c", &format!("vault:{other}#c"))
        .annotate("file.d", &format!("vault:{other}#d"))
        .spec("volumes", json!([{"name": "stop", "emptyDir": {"medium": "Memory"}}]))
        .app("volumeMounts", stop)
        .and(reader)
}
