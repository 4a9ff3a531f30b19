mod bypasses;
mod effects;
mod monotone;
mod patterns;

use serde_json::{Value, json};

use super::*;
use crate::{
    config::Config,
    review::{Account, Inspection, Outcome, inject},
    settings::Annotation,
};

/// A configuration with a default for Vault, and these rules.
fn config(rules: &str) -> Config {
    let yaml = format!(
        "defaults: {{vault-address: 'https://vault:8200', vault-role: usual}}\n\
         vault: {{addresses: ['https://other:8200']}}\npolicy: {{rules: [{rules}]}}\n"
    );
    Config::from_yaml(&yaml).expect(rules)
}

/// What the policy has against a pod of the namespace `team-a` with these annotations beside the switch.
fn refusals_of(rules: &str, annotations: &[(&str, &str)], spec: &Value) -> Vec<String> {
    let all = annotations.iter().chain(&[("inject", "true")]);
    let all: serde_json::Map<String, Value> =
        all.map(|(name, value)| (format!("mayfly.dev/{name}"), json!(value))).collect();
    let pod = json!({"metadata": {"annotations": all, "labels": {"app": "web"}}, "spec": spec});
    let namespace = Namespace::named("team-a");
    let Inspection { account: Account { judgement, .. }, outcome } =
        inject(&config(rules), Some(&namespace), pod, false);
    let denied = matches!(outcome, Outcome::Denied(_));
    assert!(denied || judgement.faults().next().is_none(), "a violation denies");
    judgement.faults().map(|fault| fault.to_string()).collect()
}

fn refusals(rules: &str, annotations: &[(&str, &str)]) -> Vec<String> {
    refusals_of(rules, annotations, &one())
}

fn one() -> Value {
    json!({"serviceAccountName": "web", "containers": [{"name": "app"}]})
}

fn allows(rules: &str, annotations: &[(&str, &str)]) {
    assert_eq!(refusals(rules, annotations), Vec::<String>::new(), "{rules} {annotations:?}");
}

fn denies(rules: &str, annotations: &[(&str, &str)], reason: &str) {
    let refusals = refusals(rules, annotations);
    let told = refusals.iter().any(|refusal| refusal.contains(reason));
    assert!(told, "{rules} {annotations:?}: {refusals:?} lacks `{reason}`");
}

/// The volume of IRSA's token, as EKS's webhook writes it.
fn eks_volume() -> Value {
    let token =
        json!({"audience": "sts.amazonaws.com", "expirationSeconds": 86400, "path": "token"});
    json!({"name": "aws-iam-token", "projected": {"sources": [{"serviceAccountToken": token}]}})
}

/// Its mount.
fn eks_mount() -> Value {
    let place = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
    json!({"name": "aws-iam-token", "mountPath": place, "readOnly": true})
}

const VAULT: (&str, &str) = ("file.a", "vault:secret/team-a/db#a");
const AWS: (&str, &str) = ("file.a", "aws-sm:team-a/db#a");
/// A value that was sealed with a key of `123456789012` in `eu-central-1`.
const SEALED: &str = "kms:AQEATmFybjphd3M6a21zOmV1LWNlbnRyYWwtMToxMjM0NTY3ODkwMTI6a2V5LzZmMWMyYjFlLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMQBAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-PwEBAQEBAQEBAQEBAWRlZmdoaWprbG1ub3BxcnN0dXZ3eHl6ew";
const ROLE: &str = "arn:aws:iam::123456789012:role/team-a";

#[test]
fn each_list_allows_and_denies() {
    for (list, good, bad) in [
        ("vault-roles: ['{namespace}']", ("vault-role", "team-a"), ("vault-role", "team-b")),
        (
            "vault-addresses: ['https://other:8200/']",
            ("vault-address", "https://other:8200"),
            ("vault-address", "https://vault:8200"),
        ),
        (
            "vault-auth-paths: ['eks-*']",
            ("vault-auth-path", "auth/eks-1"),
            ("vault-auth-path", "k"),
        ),
        (
            "vault-namespaces: ['{namespace}/*'], references: ['vault:secret/**']",
            ("vault-namespace", "team-a/x/"),
            ("vault-namespace", "team-b/x"),
        ),
        ("modes: [sidecar, init]", ("mode", "init"), ("mode", "parallel")),
        ("refresh-floor: 1m", ("refresh", "1m"), ("refresh", "30s")),
        ("ceilings: {volume-size: 16Mi}", ("volume-size", "16Mi"), ("volume-size", "17Mi")),
        ("ceilings: {cpu-limit: 100m}", ("cpu-limit", "0.1"), ("cpu-limit", "none")),
        ("ceilings: {cpu-request: 10m}", ("cpu-request", "none"), ("cpu-request", "11m")),
        ("ceilings: {memory-limit: 64Mi}", ("memory-limit", "50Mi"), ("memory-limit", "none")),
        (
            "ceilings: {ephemeral-storage-limit: 1Gi}",
            ("ephemeral-storage-limit", "1Gi"),
            ("ephemeral-storage-limit", "2Gi"),
        ),
        ("ceilings: {memory-request: 20Mi}", ("memory-request", "1Mi"), ("memory-request", "1Gi")),
    ] {
        let rule = format!("{{name: r, {list}}}");
        let usual = ("vault-auth-path", "eks-0");
        let usual =
            if good.0 == usual.0 || !list.contains("auth") { ("gate", "hook") } else { usual };
        allows(&rule, &[VAULT, good, usual]);
        denies(&rule, &[VAULT, bad, usual], "policy: rule `r` does not allow");
        denies(&rule, &[VAULT, bad, usual], &format!("mayfly.dev/{}", bad.0));
    }
}

#[test]
fn aws_roles_and_regions_are_judged_wherever_they_are_said() {
    let roles = "{name: r, aws-roles: ['arn:aws:iam::*:role/{namespace}']}";
    allows(roles, &[AWS, ("aws-role-arn", ROLE)]);
    denies(roles, &[AWS, ("aws-role-arn", &format!("{ROLE}b"))], "`mayfly.dev/aws-role-arn`");
    let regions = "{name: r, aws-regions: ['eu-*']}";
    allows(regions, &[AWS, ("aws-region", "eu-central-1")]);
    denies(regions, &[AWS, ("aws-region", "us-east-1")], "allowed: `eu-*`");
    allows(regions, &[AWS, ("aws-failover-regions", "eu-west-1,eu-north-1")]);
    denies(
        regions,
        &[AWS, ("aws-failover-regions", "eu-west-1,us-east-1")],
        "`mayfly.dev/aws-failover-regions`",
    );
    denies(regions, &[("file.a", "aws-sm:db?region=us-east-1")], "`a`: policy: rule `r`");
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x";
    denies(regions, &[("file.a", arn)], "`us-east-1`");
}

#[test]
fn a_sealed_value_is_judged_by_its_key() {
    let sealed = ("file.a", SEALED);
    allows("{name: r, references: ['kms:arn:aws:kms:*:123456789012:key/*']}", &[sealed]);
    denies(
        "{name: r, references: ['kms:arn:aws:kms:*:999999999999:key/*']}",
        &[sealed],
        "rule `r`",
    );
    denies("{name: r, references: ['aws-sm:**']}", &[sealed], "`kms:arn:aws:kms:eu-central-1:");
    denies("{name: r, aws-regions: [us-east-1]}", &[sealed], "`eu-central-1`");
}

/// Whatever the source, the pod's identity is the same.
#[test]
fn the_role_is_judged_whichever_service_is_asked() {
    for reference in ["aws-ssm:/team-a/db", SEALED] {
        let others = ("aws-role-arn", "arn:aws:iam::123456789012:role/team-b");
        let rule = "{name: r, aws-roles: ['arn:aws:iam::*:role/{namespace}']}";
        denies(rule, &[("file.a", reference), others], "`mayfly.dev/aws-role-arn`");
    }
}

#[test]
fn the_first_rule_that_is_for_the_pod_decides() {
    let rules = "{name: b, namespaces: [team-b], references: []},\
                 {name: labelled, pod-selector: {matchLabels: {app: web}}, service-accounts: ['w*']},\
                 {name: rest, references: []}";
    allows(rules, &[VAULT]);
    let other = json!({"serviceAccountName": "x", "containers": [{"name": "app"}]});
    let refusals = refusals_of(rules, &[VAULT], &other);
    assert!(
        refusals[0].contains("rule `rest` does not allow `vault:secret/team-a/db`; allowed: none")
    );
}

#[test]
fn a_pod_that_no_rule_is_for_may_have_nothing() {
    denies(
        "{name: b, namespaces: [team-b]}",
        &[VAULT],
        "no rule is for this pod (namespace `team-a`, service account `web`)",
    );
    allows("", &[VAULT]);
}

#[test]
fn a_namespace_is_selected_by_its_labels() {
    let rules = "{name: own, namespace-selector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [team-b]}]}}";
    allows(rules, &[VAULT]);
    denies(&rules.replace("team-b", "team-a"), &[VAULT], "no rule is for this pod");
}

#[test]
fn what_the_operator_chose_is_not_judged() {
    // The default of role and address, with rules that list neither.
    let rules = "{name: r, vault-roles: [], vault-addresses: []}";
    allows(rules, &[VAULT]);
    denies(rules, &[VAULT, ("vault-role", "usual")], "`usual`; allowed: none");
    // What nobody chose is judged: the author asks for it by leaving it out.
    denies("{name: r, modes: [init]}", &[VAULT], "`sidecar`; allowed: `init`");
    denies("{name: r, vault-auth-paths: [eks]}", &[VAULT], "`kubernetes`");
    denies("{name: r, vault-namespaces: ['{namespace}']}", &[VAULT], "`none`");
    allows("{name: r, vault-namespaces: [''], references: ['vault:secret/**']}", &[VAULT]);
}

#[test]
fn settings_of_the_other_backend_are_nobodys_business() {
    allows("{name: r, vault-roles: [], vault-auth-paths: [], vault-addresses: []}", &[AWS]);
    allows("{name: r, aws-roles: [], aws-regions: []}", &[VAULT]);
    allows("{name: r, refresh-floor: 1h}", &[VAULT, ("mode", "init")]);
}

#[test]
fn a_volume_for_many_files_is_under_the_ceiling_too() {
    let files = [("file.a", "vault:s/a"), ("file.b", "vault:s/b"), ("file.c", "vault:s/c")];
    denies("{name: r, ceilings: {volume-size: 4Mi}}", &files, "`7Mi`; allowed: `4Mi` or less");
}

#[test]
fn audit_lets_pass_and_warns() {
    let pod = json!({
        "metadata": {"annotations": {"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:x"}},
        "spec": one(),
    });
    let config = config("{name: r, mode: audit, references: []}");
    let inspection = inject(&config, Some(&Namespace::named("team-a")), pod, false);
    assert_eq!(inspection.account.judgement.rule_name(), "r");
    assert_eq!(inspection.account.judgement.violations.len(), 1);
    let Outcome::Injected(injected) = inspection.outcome else { panic!("not injected") };
    assert_eq!(
        injected.warnings,
        ["mayfly: policy (audit): rule `r` does not allow `aws-sm:x` (`a`)"]
    );
}
