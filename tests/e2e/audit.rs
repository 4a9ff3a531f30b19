//! `kubectl mayfly audit`, with the administrator's kubeconfig, in namespaces that each hold one thing to be found.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, suite::Case},
};
use serde_json::{Value, json};

use crate::{manifest::Manifest, operator, tenant::Tenant};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        pods_as_they_should_be_are_no_finding,
        a_pod_without_its_agent_is_found,
        an_agent_that_the_webhook_would_not_give_today_is_found,
        an_unknown_annotation_is_found_on_a_pod_that_came_in_otherwise,
        a_workload_is_found_whose_pods_would_be_refused,
        secrets_from_elsewhere_are_told_in_annotations,
        who_may_come_to_a_pods_secrets_is_told_by_name,
    ]
}

/// What an audit of the tenant's namespace finds, and whether it ended with the code of findings.
async fn audit(tenant: &Tenant<'_>, options: &[&str]) -> Result<(Value, bool)> {
    let program = tenant.cluster.plugin().await?.args(["audit", "--output=json", "--namespace"]);
    let output = program.args([tenant.namespace.name()]).args(options).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().context("the audit was ended by a signal")?;
    ensure!([0, 2].contains(&code), "the audit ended with {code}: {said}");
    let report = serde_json::from_slice(&output.stdout).context("read the report")?;
    Ok((report, code == 2))
}

/// The one finding that there is.
async fn finding(tenant: &Tenant<'_>, options: &[&str]) -> Result<Value> {
    let (report, found) = audit(tenant, options).await?;
    let findings = report["findings"].as_array().context("a list of findings")?;
    ensure!(found && findings.len() == 1, "these were found: {report}");
    Ok(findings[0].clone())
}

async fn pods_as_they_should_be_are_no_finding(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "audit").await?;
    tenant.put("app").await?;
    tenant.run(&tenant.vault_pod("web")).await?;
    tenant.run(&Manifest::plain("alone")).await?;
    let (report, found) = audit(&tenant, &[]).await?;
    ensure!(!found && report["findings"] == json!([]), "{report}");
    ensure!(report["pods"] == json!({"live": 2, "asking": 1, "withAgent": 1}), "{report}");
    ensure!(report["notes"].is_null(), "the installation's configuration was not read: {report}");
    Ok(())
}

async fn a_pod_without_its_agent_is_found(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "audit").await?;
    let pod = tenant.run(&Manifest::plain("late")).await?;
    // Only a creation is reviewed.
    tenant.namespace.kubectl(&["annotate", "pod", pod.name(), "mayfly.dev/inject=true"]).await?;
    let finding = finding(&tenant, &[]).await?;
    ensure!(finding["kind"] == "no-agent" && finding["object"] == "Pod/late", "{finding}");
    Ok(())
}

async fn an_agent_that_the_webhook_would_not_give_today_is_found(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "audit").await?;
    tenant.put("app").await?;
    tenant.run(&tenant.vault_pod("web")).await?;
    let finding = finding(&tenant, &["--agent-image=registry.example/mayfly-agent:next"]).await?;
    let detail = finding["detail"].as_str().unwrap_or_default();
    ensure!(finding["kind"] == "other-agent", "{finding}");
    ensure!(
        detail.contains("mayfly-agent:e2e") && detail.contains("mayfly-agent:next"),
        "{detail}"
    );
    Ok(())
}

async fn an_unknown_annotation_is_found_on_a_pod_that_came_in_otherwise(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "audit").await?;
    let pod = tenant.run(&Manifest::plain("typo")).await?;
    tenant.namespace.kubectl(&["annotate", "pod", pod.name(), "mayfly.dev/injcet=true"]).await?;
    let finding = finding(&tenant, &[]).await?;
    let detail = finding["detail"].as_str().unwrap_or_default();
    ensure!(finding["kind"] == "unknown-annotation" && detail.contains("`inject`"), "{finding}");
    Ok(())
}

async fn a_workload_is_found_whose_pods_would_be_refused(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "audit").await?;
    let faulty = tenant.vault_pod("web").annotate("mode", "sidekick");
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": faulty.template()}});
    tenant.namespace.apply_all(&deployment.to_string()).await?;
    let finding = finding(&tenant, &[]).await?;
    let detail = finding["detail"].as_str().unwrap_or_default();
    ensure!(finding["kind"] == "would-be-refused", "{finding}");
    ensure!(finding["object"] == "Deployment/web" && detail.contains("sidekick"), "{finding}");
    Ok(())
}

/// The Secrets Store's own kind, as far as the audit reads it; its driver is not there, so that the pod never starts.
fn provider_classes() -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "secretproviderclasses.secrets-store.csi.x-k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"}},
        "spec": {"group": "secrets-store.csi.x-k8s.io", "scope": "Namespaced",
            "names": {"kind": "SecretProviderClass", "plural": "secretproviderclasses"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}})
}

async fn secrets_from_elsewhere_are_told_in_annotations(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "migrate").await?;
    let definition = provider_classes();
    operator::apply(cluster.lab(), &definition.to_string()).await?;
    let outcome = migrate(&tenant).await;
    let name = definition["metadata"]["name"].as_str().unwrap_or_default();
    let removed = cluster.kubectl(&["delete", "customresourcedefinition", name]).await.map(drop);
    outcome.and(removed)
}

async fn migrate(tenant: &Tenant<'_>) -> Result<()> {
    let crd = "customresourcedefinition/secretproviderclasses.secrets-store.csi.x-k8s.io";
    let established = ["wait", "--for=condition=Established", "--timeout=120s", crd];
    tenant.cluster.kubectl(&established).await?;
    let objects = "[{objectName: prod/db, objectAlias: db.json, jmesPath: [{path: password, objectAlias: pw}]}]";
    let class = json!({"apiVersion": "secrets-store.csi.x-k8s.io/v1", "kind": "SecretProviderClass",
        "metadata": {"name": "db"}, "spec": {"provider": "aws", "parameters": {"objects": objects}}});
    tenant.namespace.apply_all(&class.to_string()).await?;
    let key = json!({"secretKeyRef": {"name": "legacy", "key": "token", "optional": true}});
    let volume = json!([{"name": "db", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": true,
        "volumeAttributes": {"secretProviderClass": "db"}}}]);
    let manifest = Manifest::plain("old")
        .spec("volumes", volume)
        .app("volumeMounts", json!([{"name": "db", "mountPath": "/mnt/db", "readOnly": true}]))
        .app("env", json!([{"name": "TOKEN", "valueFrom": key}]));
    tenant.namespace.apply(&manifest.to_string()).await?;
    let (report, found) = audit(tenant, &["--migrate"]).await?;
    ensure!(!found, "what is elsewhere is no fault: {report}");
    let annotations = &report["migrations"][0]["annotations"];
    let expected = json!({
        "mayfly.dev/inject": "true",
        "mayfly.dev/file.db.json": "aws-sm:prod/db",
        "mayfly.dev/file.pw": "aws-sm:prod/db#password",
        "mayfly.dev/file.legacy-token": "<source of Secret legacy, key token>",
        "mayfly.dev/mount-path": "/mnt/db",
        "mayfly.dev/path-env": "TOKEN_FILE=legacy-token",
    });
    ensure!(*annotations == expected, "{report}");
    Ok(())
}

async fn who_may_come_to_a_pods_secrets_is_told_by_name(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "readers").await?;
    tenant.put("app").await?;
    tenant.run(&tenant.vault_pod("web")).await?;
    let edit = ["create", "rolebinding", "devs", "--clusterrole=edit", "--group=devs"];
    tenant.namespace.kubectl(&edit).await?;
    let view = ["create", "rolebinding", "readers", "--clusterrole=view", "--group=onlookers"];
    tenant.namespace.kubectl(&view).await?;
    let (report, _) = audit(&tenant, &["--readers"]).await?;
    let readers = report["readers"]["readers"].as_array().context("a list of readers")?;
    let here: Vec<&Value> =
        readers.iter().filter(|reader| reader["namespace"] == tenant.namespace.name()).collect();
    let [devs] = here.as_slice() else { anyhow::bail!("these may read: {here:?}") };
    let ways = json!(["exec", "attach", "create-pod", "change-pod", "token", "token-secret"]);
    ensure!(devs["subject"] == "Group/devs" && devs["ways"] == ways, "{devs}");
    ensure!(report["readers"]["ofKubernetes"].as_u64() > Some(0), "{report}");
    Ok(())
}
