//! Secrets change: within an interval, all files of a generation together, without a restart.

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
    canary,
    manifest::{Manifest, container},
    tenant::{Tenant, status},
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_new_version_arrives_without_a_restart,
        aws_and_vault_change_in_the_same_pod,
        a_reader_never_sees_a_missing_partial_or_mixed_file,
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

/// Opens the generation once and reads both files through it, as the README tells programs that need a pair. The two
/// must be the same number, eight digits long; each visible name must be readable at any time.
const READER: &str = r#"
    n=0
    while ! test -e /stop/now; do
        cd -P /run/mayfly/..data || { echo "no generation" >>/stop/faults; continue; }
        a=$(cat a) && b=$(cat b) || { test -e a || { cd /; continue; }; echo "missing" >>/stop/faults; }
        test ${#a} = 8 || echo "partial $a" >>/stop/faults
        test "$a" = "$b" || echo "mixed $a $b" >>/stop/faults
        cat /run/mayfly/a /run/mayfly/b >/dev/null || echo "unreadable" >>/stop/faults
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
    tenant.put_data("pair", json!({"a": value, "b": value})).await
}

/// A pod whose agent looks five times a second, fifty times as often as operators allow by default, beside a container
/// that reads without a pause. A replaced generation stays for two seconds or until the next but one is written, so at
/// a pace of milliseconds a reader that is held up inside one path lookup could find it gone.
fn reader(tenant: &Tenant<'_>) -> Manifest {
    let stop = json!([{"name": "stop", "mountPath": "/stop"}]);
    let mut reader = container("reader", READER);
    reader["volumeMounts"] = stop.clone();
    let path = tenant.path("pair");
    tenant
        .asking("web")
        .annotate("refresh", "200ms")
        .annotate("file.a", &format!("vault:{path}#a"))
        .annotate("file.b", &format!("vault:{path}#b"))
        .spec("volumes", json!([{"name": "stop", "emptyDir": {"medium": "Memory"}}]))
        .app("volumeMounts", stop)
        .and(reader)
}
