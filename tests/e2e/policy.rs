//! The operator's policy, and how it comes into force: each rule allows and denies, a violation that is only audited
//! is told, a bad configuration changes nothing, and none of it needs a restart.

mod configuration;

use anyhow::{Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        folders::checkout,
        suite::Case,
    },
};
use serde_json::json;

use crate::{manifest::Manifest, tenant::Tenant};
use configuration::Configuration;

pub(crate) fn cases() -> Vec<Case> {
    let cases = cases![
        each_rule_allows_one_pod_and_denies_another,
        a_pod_without_a_rule_is_denied_and_an_audited_one_is_told,
        a_bad_configuration_is_ignored_and_a_good_one_taken,
        a_rule_for_labels_waits_for_the_right_to_read_them,
    ];
    // While they run, everybody's pods are under their rules.
    cases.into_iter().map(Case::alone).collect()
}

/// What one rule has, and two pods: one for it, one against it. `{tenant}` is the namespace's name.
struct Example {
    account: &'static str,
    rule: &'static str,
    good: &'static [(&'static str, &'static str)],
    bad: &'static [(&'static str, &'static str)],
}

const OWN: (&str, &str) = ("file.a", "vault:secret/{tenant}/app#a");
const AWS: (&str, &str) = ("file.a", "aws-sm:{tenant}/db#a");

const EXAMPLES: [Example; 12] = [
    Example {
        account: "reads",
        rule: "references: ['vault:secret/{namespace}/**', 'aws-sm:{namespace}/*']",
        good: &[OWN, ("file.b", "aws-sm:{tenant}/db")],
        bad: &[("file.a", "vault:secret/other/app")],
    },
    Example {
        account: "own",
        rule: "references: ['vault:secret/{namespace}/{serviceaccount}/*']",
        good: &[("file.a", "vault:secret/{tenant}/own/app")],
        bad: &[OWN],
    },
    Example {
        account: "address",
        rule: "vault-addresses: []",
        good: &[OWN],
        bad: &[OWN, ("vault-address", "{vault}")],
    },
    Example {
        account: "role",
        rule: "vault-roles: ['{namespace}']",
        good: &[OWN, ("vault-role", "{tenant}")],
        bad: &[OWN, ("vault-role", "admin")],
    },
    Example {
        account: "mount",
        rule: "vault-auth-paths: [kubernetes]",
        good: &[OWN],
        bad: &[OWN, ("vault-auth-path", "ldap")],
    },
    Example {
        account: "room",
        rule: "vault-namespaces: ['', '{namespace}/*'], references: ['vault:secret/**']",
        good: &[OWN, ("vault-namespace", "{tenant}/x")],
        bad: &[OWN, ("vault-namespace", "{tenant}/../x")],
    },
    Example {
        account: "iam",
        rule: "aws-roles: ['arn:aws:iam::*:role/{namespace}']",
        good: &[AWS, ("aws-role-arn", "arn:aws:iam::123456789012:role/{tenant}")],
        bad: &[AWS, ("aws-role-arn", "arn:aws:iam::123456789012:role/admin")],
    },
    Example {
        account: "region",
        rule: "aws-regions: ['eu-*']",
        good: &[AWS, ("aws-region", "eu-central-1")],
        bad: &[("file.a", "aws-sm:{tenant}/db?region=ap-south-1")],
    },
    Example {
        account: "mode",
        rule: "modes: [init]",
        good: &[OWN, ("mode", "init")],
        bad: &[OWN, ("mode", "parallel")],
    },
    Example {
        account: "large",
        rule: "ceilings: {cpu-request: 10m, memory-limit: 64Mi, volume-size: 8Mi}",
        good: &[OWN, ("volume-size", "8Mi")],
        bad: &[OWN, ("volume-size", "9Mi")],
    },
    Example {
        account: "often",
        rule: "refresh-floor: 1m",
        good: &[OWN, ("refresh", "1m")],
        bad: &[OWN, ("refresh", "59s")],
    },
    Example {
        account: "labelled",
        rule: "pod-selector: {matchLabels: {app: web}}, modes: []",
        good: &[OWN, ("label", "other")],
        bad: &[OWN, ("label", "web")],
    },
];

/// All rules together, each for its own service account, and one for everybody else.
fn policy(tenant: &str) -> String {
    let rules = EXAMPLES.iter().map(|Example { account, rule, .. }| {
        format!("  - {{name: only-{account}, namespaces: ['{tenant}'], service-accounts: [{account}], {rule}}}\n")
    });
    format!("policy:\n  rules:\n{}  - {{name: rest}}\n", rules.collect::<String>())
}

/// A pod of the tenant with these annotations.
fn pod(tenant: &Tenant<'_>, account: &str, annotations: &[(&str, &str)]) -> Manifest {
    let base = Manifest::asking("web").spec("serviceAccountName", json!(account));
    let usual = base.annotate("refresh", "5m").annotate("vault-role", tenant.namespace.name());
    annotations.iter().fold(usual, |manifest, (key, value)| {
        let value = value.replace("{tenant}", tenant.namespace.name());
        let value = value.replace("{vault}", mayfly_tests::lab::addresses::VAULT);
        match *key {
            "label" => manifest.label("app", &value),
            key => manifest.annotate(key, &value),
        }
    })
}

async fn each_rule_allows_one_pod_and_denies_another(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "policy").await?;
    for Example { account, .. } in &EXAMPLES {
        tenant.namespace.service_account(account).await?;
    }
    let policy = policy(tenant.namespace.name());
    let examples = Box::pin(examples(&tenant));
    Box::pin(Configuration::of(cluster).await?.with(&policy, examples)).await
}

async fn examples(tenant: &Tenant<'_>) -> Result<()> {
    for Example { account, good, bad, .. } in &EXAMPLES {
        tenant.namespace.rehearse(&pod(tenant, account, good).to_string()).await?;
        let said = tenant.namespace.refusal(&pod(tenant, account, bad).to_string()).await?;
        let told = format!("policy: rule `only-{account}` does not allow `");
        ensure!(said.contains(&told), "{told:?} is not in {said}");
    }
    // Who is under the last rule, which restricts nothing, gets a pod that runs.
    tenant.put("app").await?;
    tenant.run(&tenant.vault_pod("unrestricted")).await.map(drop)
}

async fn a_pod_without_a_rule_is_denied_and_an_audited_one_is_told(
    cluster: &Cluster,
) -> Result<()> {
    let (tenant, other) =
        (Tenant::new(cluster, "audited").await?, Tenant::new(cluster, "nobody").await?);
    let policy = format!(
        "policy:\n  rules:\n  - {{name: watched, mode: audit, namespaces: ['{}'], modes: []}}\n",
        tenant.namespace.name()
    );
    let configuration = Configuration::of(cluster).await?;
    let judged = async {
        tenant.put("app").await?;
        let answer = tenant.namespace.submit(&tenant.vault_pod("web").to_string()).await?;
        ensure!(answer.accepted, "the pod is refused: {}", answer.said);
        let warning = "Warning: mayfly: policy (audit): rule `watched` does not allow `sidecar` (`mayfly.dev/mode`)";
        ensure!(answer.said.contains(warning), "kubectl says {}", answer.said);
        tenant.namespace.pod("web").running().await?;
        let said = other.namespace.refusal(&other.vault_pod("web").to_string()).await?;
        ensure!(said.contains("no rule is for this pod"), "kubectl says {said}");
        let audited = "policy_violations_total{rule=\"watched\",verdict=\"audited\"}";
        ensure!(configuration.sum(audited).await? >= 1.0, "no metric tells of the violation");
        Ok(())
    };
    Box::pin(configuration.with(&policy, Box::pin(judged))).await
}

async fn a_bad_configuration_is_ignored_and_a_good_one_taken(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "reload").await?;
    tenant.put("app").await?;
    let pods = configuration::replicas(cluster).await?;
    let policy = |modes: &str| format!("policy: {{rules: [{{name: gate, modes: [{modes}]}}]}}\n");
    let configuration = Configuration::of(cluster).await?;
    let body = async {
        let pod = tenant.vault_pod("web").to_string();
        tenant.namespace.refusal(&pod).await?;
        configuration.push_bad(&policy("sidecar, sometimes"), "config_faults_total").await?;
        // The old one is in force: the pod is refused for the old reason.
        let said = tenant.namespace.refusal(&pod).await?;
        ensure!(said.contains("rule `gate` does not allow `sidecar`"), "kubectl says {said}");
        let logs = configuration.logs().await?;
        ensure!(logs.contains("the configuration cannot be used"), "the log says {logs}");
        configuration.push(&policy("sidecar, init")).await?;
        tenant.namespace.apply(&pod).await?.running().await?;
        ensure!(configuration::replicas(cluster).await? == pods, "a replica was restarted");
        Ok(())
    };
    Box::pin(configuration.with(&policy("init"), body)).await
}

/// Labels and annotations of namespaces count.
const LABELS: &str = "namespace-annotations: true\n\
                      policy: {rules: [{name: gold, namespace-selector: {matchLabels: {tier: gold}}, modes: [init]}]}\n";

async fn a_rule_for_labels_waits_for_the_right_to_read_them(cluster: &Cluster) -> Result<()> {
    let (gold, plain) = (Tenant::new(cluster, "gold").await?, Tenant::new(cluster, "plain").await?);
    gold.namespace.label(&["tier=gold"]).await?;
    gold.put("app").await?;
    let configuration = Configuration::of(cluster).await?;
    let rights = checkout().join("manifests/namespaces/namespaces.yaml").display().to_string();
    let body = async {
        let before = configuration.loaded().await?;
        configuration.push_bad(LABELS, "namespace_watch_faults_total").await?;
        let logs = configuration.logs().await?;
        ensure!(logs.contains("ClusterRole `mayfly-webhook-namespaces`"), "the log says {logs}");
        // What was in force before still is.
        plain.namespace.rehearse(&plain.vault_pod("web").to_string()).await?;
        cluster.kubectl(&["apply", "--filename", &rights]).await?;
        configuration.is_newer_than(&before).await?;
        labels_and_annotations_count(&gold, &plain).await
    };
    let outcome = Box::pin(configuration.restored_after(body)).await;
    let taken = cluster.kubectl(&["delete", "--ignore-not-found", "--filename", &rights]).await;
    let taken = taken.map(drop);
    outcome.and(taken)
}

async fn labels_and_annotations_count(gold: &Tenant<'_>, plain: &Tenant<'_>) -> Result<()> {
    let said = plain.namespace.refusal(&plain.vault_pod("web").to_string()).await?;
    ensure!(said.contains("no rule is for this pod"), "kubectl says {said}");
    let pod = gold.vault_pod("web").to_string();
    let said = gold.namespace.refusal(&pod).await?;
    ensure!(said.contains("rule `gold` does not allow `sidecar`"), "kubectl says {said}");
    let annotate = ["annotate", "namespace", gold.namespace.name(), "mayfly.dev/default.mode=init"];
    gold.cluster.kubectl(&annotate).await?;
    let taken = || async { gold.namespace.rehearse(&pod).await.map(drop) };
    eventually("the namespace's annotation to count", PATIENCE, taken).await
}
