//! Secrets arrive: from Vault, from AWS, from both, at the first instruction of every container, in all modes.

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

use crate::{
    manifest::{SLEEP, container},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        vault_by_the_pods_service_account,
        aws_by_a_token_of_our_own,
        aws_by_the_token_that_eks_projects,
        vault_and_aws_in_one_pod,
        sidecar_has_the_files_before_the_first_instruction,
        init_has_the_files_before_the_first_instruction,
        parallel_has_the_files_before_the_first_instruction,
        probe_has_the_files_before_the_first_instruction,
        many_short_keys_arrive_and_rotate,
        who_asks_has_the_new_version_at_once,
    ]
}

async fn vault_by_the_pods_service_account(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "vault").await?;
    let value = tenant.put("app").await?;
    let json = format!("vault:{}", tenant.path("app"));
    let pod = tenant.run(&tenant.vault_pod("web").annotate("file.app.json", &json)).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    let whole: serde_json::Value = serde_json::from_str(&pod.file("/run/mayfly/app.json").await?)?;
    ensure!(whole == json!({"value": value}), "the whole secret is {whole}");
    Ok(())
}

async fn aws_by_a_token_of_our_own(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "irsa").await?;
    let value = tenant.create("db").await?;
    let manifest = tenant
        .asking("web")
        .annotate("aws-role-arn", &tenant.role)
        .annotate("file.value", &format!("aws-sm:{}", tenant.id("db")));
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    says_who_it_is(&tenant, "web").await
}

/// EKS's own webhook has no part in this cluster; its work is done by hand, in the order "before ours".
async fn aws_by_the_token_that_eks_projects(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "eks").await?;
    let value = tenant.create("db").await?;
    let token = json!({"serviceAccountToken":
        {"audience": "sts.amazonaws.com", "expirationSeconds": 86400, "path": "token"}});
    let directory = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
    let manifest = tenant
        .asking("web")
        .annotate("file.value", &format!("aws-sm:{}", tenant.id("db")))
        .spec("volumes", json!([{"name": "aws-iam-token", "projected": {"sources": [token]}}]))
        .app(
            "volumeMounts",
            json!([{"name": "aws-iam-token", "mountPath": directory, "readOnly": true}]),
        )
        .app(
            "env",
            json!([
                {"name": "AWS_ROLE_ARN", "value": tenant.role},
                {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": format!("{directory}/token")},
                {"name": "AWS_REGION", "value": "us-east-1"},
                {"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "regional"}
            ]),
        );
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    says_who_it_is(&tenant, "web").await
}

/// The session's name, which CloudTrail shows, carries the namespace and the pod.
async fn says_who_it_is(tenant: &Tenant<'_>, pod: &str) -> Result<()> {
    let calls = tenant.cluster.aws().calls(&tenant.role).await?;
    let names: Vec<String> = calls.iter().map(|call| format!("{call:?}")).collect();
    let names = names.join(" ");
    ensure!(names.contains(tenant.namespace.name()) && names.contains(pod), "STS saw {names}");
    Ok(())
}

async fn vault_and_aws_in_one_pod(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "both").await?;
    let (ours, theirs) = (tenant.put("app").await?, tenant.create("db").await?);
    let manifest = tenant
        .vault_pod("web")
        .annotate("aws-role-arn", &tenant.role)
        .annotate("file.db", &format!("aws-sm:{}", tenant.id("db")));
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/value").await? == ours);
    ensure!(pod.file("/run/mayfly/db").await? == theirs);
    Ok(())
}

/// Three hundred pages, twice, in the volume that the webhook sizes.
async fn many_short_keys_arrive_and_rotate(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "many-keys").await?;
    let put = async |value: &str| {
        let keys = (0..300).map(|at| (format!("key-{at}"), json!(value)));
        tenant.put_data("keys", keys.collect::<serde_json::Map<_, _>>().into()).await
    };
    put("one").await?;
    let manifest =
        tenant.asking("web").annotate("dir.all", &format!("vault:{}", tenant.path("keys")));
    let pod = tenant.run(&manifest).await?;
    put("two").await?;
    let changed = || async {
        ensure!(
            pod.file("/run/mayfly/all/key-299").await? == "two",
            "the old value is still there"
        );
        Ok(())
    };
    eventually("the new version", PATIENCE, changed).await
}

async fn who_asks_has_the_new_version_at_once(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "asked").await?;
    tenant.put("app").await?;
    let pod = tenant.run(&tenant.vault_pod("web").annotate("refresh", "1h")).await?;
    let new = tenant.put("app").await?;
    let said = pod.exec_in("mayfly-agent", &["/mayfly-agent", "refresh"]).await?;
    ensure!(said.contains("everything is fresh"), "the agent says {said}");
    ensure!(pod.file("/run/mayfly/value").await? == new, "the old value is still there");
    Ok(())
}

async fn sidecar_has_the_files_before_the_first_instruction(cluster: &Cluster) -> Result<()> {
    sees_files_at_once(cluster, "sidecar", "hook", true).await
}

async fn probe_has_the_files_before_the_first_instruction(cluster: &Cluster) -> Result<()> {
    sees_files_at_once(cluster, "sidecar", "probe", true).await
}

async fn init_has_the_files_before_the_first_instruction(cluster: &Cluster) -> Result<()> {
    sees_files_at_once(cluster, "init", "hook", true).await
}

async fn parallel_has_the_files_before_the_first_instruction(cluster: &Cluster) -> Result<()> {
    sees_files_at_once(cluster, "parallel", "hook", false).await
}

/// Each container's first instruction is to keep what it sees; none of them tries twice.
async fn sees_files_at_once(cluster: &Cluster, mode: &str, gate: &str, init: bool) -> Result<()> {
    let tenant = Tenant::new(cluster, mode).await?;
    let value = tenant.put("app").await?;
    let keep = "cat /run/mayfly/value >/kept/$NAME || exit 1";
    let named = |name: &str, script: &str| {
        let mut container = container(name, script);
        container["env"] = json!([{"name": "NAME", "value": name}]);
        container["volumeMounts"] = json!([{"name": "kept", "mountPath": "/kept"}]);
        container
    };
    let sleep = format!("{keep}; {SLEEP}");
    let mut manifest = tenant
        .vault_pod("web")
        .annotate("mode", mode)
        .spec("volumes", json!([{"name": "kept", "emptyDir": {"medium": "Memory"}}]))
        .spec("containers", json!([named("app", &sleep), named("other", &sleep)]));
    if gate == "probe" {
        manifest = manifest.annotate("gate", gate);
    }
    let mut all = vec!["app", "other"];
    if init {
        manifest = manifest.init(named("early", keep));
        all.push("early");
    }
    let pod = tenant.run(&manifest).await?;
    for name in all {
        let seen = pod.file_in("app", &format!("/kept/{name}")).await?;
        ensure!(seen == value, "{name} saw {seen:?} at its first instruction");
    }
    let restarts = pod.json().await?["status"].to_string();
    ensure!(!restarts.contains("\"restartCount\":1"), "a container was restarted: {restarts}");
    Ok(())
}
