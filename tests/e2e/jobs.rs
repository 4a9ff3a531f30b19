//! Work that ends: Jobs and `CronJob`s complete, with the agent beside them or before them.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        suite::Case,
    },
};
use serde_json::json;

use crate::tenant::Tenant;

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_job_completes_with_a_sidecar,
        a_job_completes_with_an_init_container,
        a_cron_job_completes_with_a_sidecar,
        a_cron_job_completes_with_an_init_container,
        a_job_with_parallel_is_refused,
    ]
}

const WORK: &str = "test -s /run/mayfly/value && cat /run/mayfly/value >/dev/null && echo worked";

async fn a_job_completes_with_a_sidecar(cluster: &Cluster) -> Result<()> {
    job_completes(cluster, "sidecar").await
}

async fn a_job_completes_with_an_init_container(cluster: &Cluster) -> Result<()> {
    job_completes(cluster, "init").await
}

async fn job_completes(cluster: &Cluster, mode: &str) -> Result<()> {
    let tenant = Tenant::new(cluster, "job").await?;
    tenant.put("app").await?;
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}, "spec": job(&tenant, mode)});
    tenant.namespace.apply_all(&job.to_string()).await?;
    completes(&tenant, "job/work").await
}

async fn a_cron_job_completes_with_a_sidecar(cluster: &Cluster) -> Result<()> {
    cron_job_completes(cluster, "sidecar").await
}

async fn a_cron_job_completes_with_an_init_container(cluster: &Cluster) -> Result<()> {
    cron_job_completes(cluster, "init").await
}

/// The minute is not waited for: a run is started by hand, from the `CronJob`'s own template.
async fn cron_job_completes(cluster: &Cluster, mode: &str) -> Result<()> {
    let tenant = Tenant::new(cluster, "cron").await?;
    tenant.put("app").await?;
    let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": {
        "schedule": "0 3 * * *", "jobTemplate": {"spec": job(&tenant, mode)}}});
    tenant.namespace.apply_all(&cron.to_string()).await?;
    tenant.namespace.kubectl(&["create", "job", "work", "--from=cronjob/nightly"]).await?;
    completes(&tenant, "job/work").await
}

async fn a_job_with_parallel_is_refused(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "job").await?;
    tenant.put("app").await?;
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}, "spec": job(&tenant, "parallel")});
    tenant.namespace.apply_all(&job.to_string()).await?;
    let told = || async {
        let described = tenant.namespace.kubectl(&["describe", "job", "work"]).await?;
        ensure!(
            described.contains("parallel") && described.contains("restartPolicy"),
            "{described}"
        );
        Ok(())
    };
    eventually("the Job's events to say why", PATIENCE, told).await
}

fn job(tenant: &Tenant<'_>, mode: &str) -> serde_json::Value {
    let pod = tenant.vault_pod("work").annotate("mode", mode).script(WORK);
    json!({"backoffLimit": 0, "template": pod.spec("restartPolicy", json!("Never")).template()})
}

async fn completes(tenant: &Tenant<'_>, job: &str) -> Result<()> {
    let wait = ["wait", "--for=condition=Complete", "--timeout=120s", job];
    if let Err(error) = tenant.namespace.kubectl(&wait).await {
        let described = tenant.namespace.kubectl(&["describe", "pods"]).await?;
        return Err(error.context(described));
    }
    let said = tenant.namespace.kubectl(&["logs", job]).await?;
    ensure!(said.contains("worked"), "the Job said {said:?}");
    Ok(())
}
