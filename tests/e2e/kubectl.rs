//! A person with kubectl: what a denial and a warning look like, whom `logs` and `exec` go to, what a dry run does.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        suite::Case,
    },
};
use serde_json::{Value, json};

use crate::{
    manifest::{SLEEP, container},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        apply_shows_one_fault_on_one_line,
        apply_shows_every_fault_on_a_line_of_its_own,
        apply_shows_warnings_and_takes_the_pod,
        logs_and_exec_go_to_the_app_beside_a_sidecar,
        logs_and_exec_go_to_the_app_beside_a_probed_sidecar,
        logs_and_exec_go_to_the_app_after_an_init_container,
        logs_and_exec_go_to_the_app_in_parallel,
        logs_and_exec_go_where_the_author_wants_them,
        a_dry_run_shows_the_injected_pod_and_leaves_nothing,
    ]
}

async fn apply_shows_one_fault_on_one_line(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "fault").await?;
    let manifest = tenant.vault_pod("web").annotate("mode", "sidcar");
    let told = tenant.namespace.refusal(&manifest.to_string()).await?;
    let lines: Vec<&str> = told.trim_end().lines().collect();
    let said =
        "admission webhook \"inject.mayfly.dev\" denied the request: mayfly: `mayfly.dev/mode`:";
    ensure!(lines.len() == 1 && lines[0].contains(said), "kubectl says {told:?}");
    ensure!(told.contains("`sidcar` is not allowed; did you mean `sidecar`?"), "{told:?}");
    Ok(())
}

async fn apply_shows_every_fault_on_a_line_of_its_own(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "faults").await?;
    let manifest = tenant
        .vault_pod("web")
        .annotate("mode", "sidcar")
        .annotate("injcet", "true")
        .annotate("file.db", "vualt:secret/db#password")
        .annotate("containers", "ap")
        .annotate("start-deadline", "soon");
    let told = tenant.namespace.refusal(&manifest.to_string()).await?;
    ensure!(told.contains("mayfly: 5 faults\n"), "kubectl says {told:?}");
    let faults: Vec<&str> = told.lines().filter(|line| line.starts_with("- `")).collect();
    ensure!(faults.len() == 5, "these are not five lines: {told}");
    let tells = |words: &[&str]| faults.iter().any(|line| words.iter().all(|w| line.contains(w)));
    ensure!(tells(&["`mayfly.dev/mode`", "sidcar", "`sidecar`"]), "{told}");
    ensure!(tells(&["`mayfly.dev/injcet`", "did you mean", "inject"]), "{told}");
    ensure!(tells(&["`mayfly.dev/file.db`", "vualt", "did you mean", "vault"]), "{told}");
    ensure!(tells(&["`mayfly.dev/containers`", "`ap`", "did you mean `app`?"]), "{told}");
    ensure!(tells(&["`mayfly.dev/start-deadline`", "soon"]), "{told}");
    Ok(())
}

async fn apply_shows_warnings_and_takes_the_pod(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "warnings").await?;
    tenant.put("app").await?;
    let manifest = tenant
        .vault_pod("web")
        .annotate("aws-region", "us-east-1")
        .spec("shareProcessNamespace", json!(true));
    let answer = tenant.namespace.submit(&manifest.to_string()).await?;
    ensure!(answer.accepted, "the pod is refused: {}", answer.said);
    let warnings: Vec<&str> = answer.said.lines().collect();
    ensure!(
        warnings.len() == 2
            && warnings.iter().all(|line| line.starts_with("Warning: mayfly: "))
            && warnings.iter().any(|line| line.contains("shareProcessNamespace"))
            && warnings.iter().any(|line| line.contains("mayfly.dev/aws-region has no effect")),
        "kubectl says {warnings:#?}"
    );
    tenant.namespace.pod("web").running().await
}

async fn logs_and_exec_go_to_the_app_beside_a_sidecar(cluster: &Cluster) -> Result<()> {
    go_to(cluster, &[("mode", "sidecar")], "app").await
}

async fn logs_and_exec_go_to_the_app_beside_a_probed_sidecar(cluster: &Cluster) -> Result<()> {
    go_to(cluster, &[("mode", "sidecar"), ("gate", "probe")], "app").await
}

async fn logs_and_exec_go_to_the_app_after_an_init_container(cluster: &Cluster) -> Result<()> {
    go_to(cluster, &[("mode", "init")], "app").await
}

async fn logs_and_exec_go_to_the_app_in_parallel(cluster: &Cluster) -> Result<()> {
    go_to(cluster, &[("mode", "parallel")], "app").await
}

async fn logs_and_exec_go_where_the_author_wants_them(cluster: &Cluster) -> Result<()> {
    go_to(cluster, &[("mode", "parallel"), (DEFAULT, "other")], "other").await
}

const DEFAULT: &str = "kubectl.kubernetes.io/default-container";

/// A pod with `app` and `other`: without a container's name, kubectl goes to `wanted`.
async fn go_to(cluster: &Cluster, annotations: &[(&str, &str)], wanted: &str) -> Result<()> {
    let tenant = Tenant::new(cluster, "kubectl").await?;
    tenant.put("app").await?;
    let says = |name: &str| format!("echo I am {name}; touch /tmp/{name}; {SLEEP}");
    let manifest =
        tenant.vault_pod("web").script(&says("app")).and(container("other", &says("other")));
    let manifest = annotations.iter().fold(manifest, |manifest, (key, value)| {
        if key.contains('/') {
            manifest.annotation(key, value)
        } else {
            manifest.annotate(key, value)
        }
    });
    let pod = tenant.run(&manifest).await?;
    let logged = || async {
        let logs = tenant.namespace.kubectl(&["logs", pod.name()]).await?;
        ensure!(logs == format!("I am {wanted}\n"), "`kubectl logs` shows {logs:?}");
        Ok(())
    };
    eventually("the log", PATIENCE, logged).await?;
    let files = pod.exec(&["ls", "/tmp"]).await?;
    ensure!(files.trim() == wanted, "`kubectl exec` went to {files:?}");
    Ok(())
}

async fn a_dry_run_shows_the_injected_pod_and_leaves_nothing(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "dry-run").await?;
    tenant.put("app").await?;
    let manifest = tenant.vault_pod("web").to_string();
    let shown = tenant.namespace.rehearse(&manifest).await?;
    let spec = &shown["spec"];
    ensure!(spec["initContainers"][0]["name"] == "mayfly-agent", "the dry run shows {shown}");
    let mounts = names(&spec["containers"][0]["volumeMounts"])?;
    ensure!(mounts.contains(&"mayfly-secrets"), "the app's mounts are {mounts:?}");
    ensure!(names(&spec["volumes"])?.contains(&"mayfly-secrets"), "the dry run shows {shown}");
    let pods = tenant.namespace.kubectl(&["get", "pods,events", "--output=name"]).await?;
    ensure!(pods.is_empty(), "the dry run has left {pods}");
    // What is real is the same as what was shown.
    let real = tenant.run(&tenant.vault_pod("web")).await?.json().await?;
    ensure!(
        real["spec"]["initContainers"] == spec["initContainers"],
        "{} became {}",
        spec["initContainers"],
        real["spec"]["initContainers"]
    );
    Ok(())
}

fn names(list: &Value) -> Result<Vec<&str>> {
    let list = list.as_array().context("a list")?;
    Ok(list.iter().filter_map(|item| item["name"].as_str()).collect())
}
