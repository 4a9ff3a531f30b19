//! Whoever applies a workload hears at once what its pods would be refused for, and the workload is taken in.

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        namespace::Answer,
        suite::Case,
    },
};
use serde_json::{Value, json};

use crate::{manifest::Manifest, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        faults_of_pods_to_come_are_warnings_for_each_kind_of_workload,
        annotations_on_the_workload_itself_are_told_to_move,
        a_sound_workload_is_taken_in_silence,
        an_update_is_warned_of_as_a_creation_is,
        the_refusal_of_a_pod_is_in_the_deployments_conditions_and_events,
    ]
}

/// A workload of that kind whose pods are `pod`.
fn workload(kind: &str, pod: &Manifest) -> Value {
    let mut template = pod.template();
    let labels = json!({"app": "web"});
    template["metadata"]["labels"] = labels.clone();
    let (version, spec) = match kind {
        "Job" | "CronJob" => {
            template["spec"]["restartPolicy"] = json!("Never");
            let job = json!({"suspend": true, "template": template});
            let cron = json!({"schedule": "0 3 * * *", "suspend": true, "jobTemplate": {"spec": job.clone()}});
            ("batch/v1", if kind == "Job" { job } else { cron })
        }
        _ => {
            let mut spec = json!({"selector": {"matchLabels": labels}, "template": template});
            match kind {
                "StatefulSet" => spec["serviceName"] = json!("web"),
                "DaemonSet" => {}
                _ => spec["replicas"] = json!(0),
            }
            ("apps/v1", spec)
        }
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": spec})
}

async fn apply(tenant: &Tenant<'_>, workload: &Value) -> Result<Answer> {
    let answer = tenant.namespace.submit(&workload.to_string()).await?;
    ensure!(answer.accepted, "the workload was refused: {}", answer.said);
    Ok(answer)
}

async fn faults_of_pods_to_come_are_warnings_for_each_kind_of_workload(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "warned").await?;
    let faulty = tenant.vault_pod("web").annotate("mode", "sidekick").annotate("fiel.x", "y");
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"] {
        let said = apply(&tenant, &workload(kind, &faulty)).await?.said;
        let begin = format!("Warning: mayfly: the pods of this {kind} will be refused");
        for words in [&*begin, "mayfly.dev/mode", "sidekick", "mayfly.dev/fiel.x", "did you mean"] {
            ensure!(said.contains(words), "{kind}: {words:?} is not in {said:?}");
        }
    }
    Ok(())
}

async fn annotations_on_the_workload_itself_are_told_to_move(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "misplaced").await?;
    let mut deployment = workload("Deployment", &Manifest::plain("web"));
    deployment["metadata"]["annotations"] = json!({"mayfly.dev/inject": "true"});
    let said = apply(&tenant, &deployment).await?.said;
    ensure!(said.contains("move it to `spec.template.metadata.annotations`"), "{said:?}");
    Ok(())
}

async fn a_sound_workload_is_taken_in_silence(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "sound").await?;
    for pod in [tenant.vault_pod("web"), Manifest::plain("web")] {
        let answer = apply(&tenant, &workload("Deployment", &pod)).await?;
        ensure!(answer.said.is_empty(), "it was said: {:?}", answer.said);
    }
    Ok(())
}

async fn an_update_is_warned_of_as_a_creation_is(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "updated").await?;
    apply(&tenant, &workload("Deployment", &tenant.vault_pod("web"))).await?;
    let faulty = tenant.vault_pod("web").annotate("refresh", "never");
    let said = apply(&tenant, &workload("Deployment", &faulty)).await?.said;
    ensure!(said.contains("will be refused: `mayfly.dev/refresh`"), "{said:?}");
    Ok(())
}

/// Kubernetes' own controllers tell it: no right to make events is needed.
async fn the_refusal_of_a_pod_is_in_the_deployments_conditions_and_events(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "refused").await?;
    let faulty = tenant.vault_pod("web").annotate("mode", "sidekick");
    let mut deployment = workload("Deployment", &faulty);
    deployment["spec"]["replicas"] = json!(1);
    apply(&tenant, &deployment).await?;
    let condition = "--output=jsonpath={.status.conditions[?(@.type==\"ReplicaFailure\")].message}";
    let failure = ["get", "deployment/web", condition];
    let events = [
        "get",
        "events",
        "--field-selector=reason=FailedCreate",
        "--output=jsonpath={.items[*].message}",
    ];
    let told = || async {
        for arguments in [failure.as_slice(), &events] {
            let told = tenant.namespace.kubectl(arguments).await?;
            ensure!(
                told.contains("mayfly.dev/mode") && told.contains("sidekick"),
                "it says {told:?}"
            );
        }
        Ok(())
    };
    eventually("the refusal in the Deployment's conditions and the events", PATIENCE, told).await
}
