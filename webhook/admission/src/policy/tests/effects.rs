//! What is judged is what a pod would get, whatever it says.

use std::fmt::Write as _;

use super::*;
use crate::names::CONTAINER;

#[test]
fn a_tree_needs_a_pattern_for_all_that_is_below() {
    let tree = ("dir.a", "aws-ssm:/shared/");
    for (pattern, is_allowed) in [
        ("aws-ssm:/shared/**", true),
        ("aws-ssm:/**", true),
        ("aws-ssm:**", true),
        ("**", true),
        ("aws-ssm:/shared/*", false),
        ("aws-ssm:/shared/", false),
        ("aws-ssm:/*/", false),
        ("aws-ssm:/shared/a**", false),
        ("aws-ssm:/shared/**/x", false),
        ("aws-ssm:/{namespace}/**", false),
    ] {
        let rule = format!("{{name: r, references: ['{pattern}']}}");
        let told = refusals(&rule, &[tree]);
        assert_eq!(told.is_empty(), is_allowed, "{pattern}: {told:?}");
        assert!(is_allowed || told[0].contains("a pattern that ends in `**`"), "{told:?}");
    }
    // One parameter is no tree.
    let rule = "{name: r, references: ['aws-ssm:/shared/*']}";
    allows(rule, &[("file.a", "aws-ssm:/shared/db")]);
    denies(rule, &[("file.a", "aws-ssm:/shared/admin/root")], "rule `r`");
}

/// A pod that EKS's webhook, or somebody in its name, has been at, with one more variable in this container.
fn with_variable(container: &str, variable: &Value) -> Value {
    let one = json!({"name": container, "env": [variable], "volumeMounts": [eks_mount()]});
    json!({"containers": [{"name": "app"}, one], "volumes": [eks_volume()]})
}

#[test]
fn of_variables_only_literals_of_their_own_grammar_reach_the_agent_and_are_judged() {
    let rule = "{name: r, aws-roles: [], aws-regions: []}";
    for (name, good, bad) in [
        ("AWS_ROLE_ARN", ROLE, "arn:aws:iam::123456789012:role/$(X)"),
        ("AWS_ROLE_ARN", ROLE, "$(X)"),
        ("AWS_ROLE_ARN", ROLE, " arn:aws:iam::123456789012:role/team-a"),
        ("AWS_REGION", "eu-central-1", "eu-$(X)"),
        ("AWS_DEFAULT_REGION", "eu-central-1", "eu-central-1.evil.example/"),
    ] {
        let told = |value: &str| {
            refusals_of(rule, &[AWS], &with_variable("x", &json!({"name": name, "value": value})))
        };
        let (good, bad) = (told(good), told(bad));
        assert!(good.len() == 1 && good[0].contains(name), "{name}: {good:?}");
        assert_eq!(bad, Vec::<String>::new(), "{name}: it reaches nobody");
    }
}

#[test]
fn a_value_from_elsewhere_never_reaches_the_agent() {
    let from =
        json!({"name": "AWS_REGION", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}});
    for container in ["x", CONTAINER] {
        let mut spec = with_variable(container, &from);
        spec["containers"][1]["command"] = json!(["/mayfly-agent", "run"]);
        let annotations =
            json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:team-a/db"});
        let pod = json!({"metadata": {"annotations": annotations}, "spec": spec});
        let namespace = Namespace::named("team-a");
        let outcome = inject(&config(""), Some(&namespace), pod, false).outcome;
        let Outcome::Injected(injected) = outcome else { continue };
        let (pod, _) = injected.edited.finish().expect("a pod");
        let agent = pod["spec"]["initContainers"][0].to_string();
        assert!(agent.contains(CONTAINER) && !agent.contains("AWS_REGION"), "{agent}");
    }
}

/// A pod whose author has made an agent with these resources.
fn ready_made(resources: &Value) -> Value {
    let agent = json!({"name": "mayfly-agent", "restartPolicy": "Always", "resources": resources});
    json!({"containers": [{"name": "app"}], "initContainers": [agent]})
}

/// It stays only within the ceilings: `injection::amounts` sees to that.
#[test]
fn what_a_ready_made_agent_has_is_no_wish_of_the_pods() {
    for amounts in [
        json!({"limits": {"cpu": 64}}),
        json!({"limits": {"memory": "900Gi"}}),
        json!({"requests": {"cpu": "11m"}}),
        json!({"limits": {"cpu": "0"}}),
        json!({"limits": {"cpu": "lots"}}),
    ] {
        let rule = "{name: r, ceilings: {cpu-request: 10m, cpu-limit: 100m, memory-limit: 64Mi}}";
        let told = refusals_of(rule, &[VAULT], &ready_made(&amounts));
        assert_eq!(told, Vec::<String>::new(), "{amounts}");
    }
}

#[test]
fn an_amount_that_follows_from_another_is_under_the_ceilings() {
    let rule = "{name: r, ceilings: {cpu-request: 10m}}";
    // The API server takes the limit for a request that is not there.
    allows(rule, &[VAULT, ("cpu-request", "none")]);
    denies(rule, &[VAULT, ("cpu-request", "none"), ("cpu-limit", "64")], "does not allow `64`");
    // In a pod of class Guaranteed a request is the limit, whatever the operator's default for it.
    let fixed = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    let spec = json!({"containers": [{"name": "app", "resources": fixed}]});
    let yaml =
        "defaults: {cpu-request: 5m}\npolicy: {rules: [{name: r, ceilings: {cpu-request: 10m}}]}";
    let config = Config::from_yaml(yaml).expect("a configuration");
    let judged = |limit: &str| {
        let annotations = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a", "mayfly.dev/cpu-limit": limit});
        let pod = json!({"metadata": {"annotations": annotations}, "spec": spec});
        let namespace = Namespace::named("team-a");
        inject(&config, Some(&namespace), pod, false).account.judgement.violations.len()
    };
    assert_eq!((judged("10m"), judged("64")), (0, 1));
}

#[test]
fn a_judgement_says_how_much_room_there_is() {
    let judged = |rule: &str| {
        let annotations = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"});
        let pod = json!({"metadata": {"annotations": annotations}, "spec": one()});
        inject(&config(rule), Some(&Namespace::named("team-a")), pod, false).account.judgement
    };
    let large = "64".parse().expect("a quantity");
    let limit = Annotation::CpuLimit;
    assert!(!judged("{name: r, ceilings: {cpu-limit: 100m}}").ceilings.allow(limit, Some(&large)));
    // Where violations are let pass, nothing is taken away.
    let audited = judged("{name: r, mode: audit, ceilings: {cpu-limit: 100m}}");
    assert!(audited.ceilings.allow(limit, Some(&large)));
}

#[test]
fn a_namespace_is_seen_at_the_beginning_of_a_path() {
    let path = |path: &'static str| ("file.a", path);
    let (foreign, own) = (path("vault:team-b-ns/secret/app"), path("vault:secret/app"));
    for rule in [
        "{name: r, vault-namespaces: ['']}",
        "{name: r, vault-namespaces: [''], references: ['vault:**']}",
        "{name: r, vault-namespaces: [''], references: ['vault:*/**']}",
        "{name: r, vault-namespaces: [''], references: ['**']}",
    ] {
        denies(rule, &[foreign], "its beginning may be a namespace of Vault's");
    }
    let rule = "{name: r, vault-namespaces: [''], references: ['vault:secret/**', 'vault-write:pki/*/web']}";
    allows(rule, &[own]);
    allows(rule, &[path("vault-write:pki/issue/web")]);
    denies(rule, &[foreign], "allowed: `vault:secret/**`");
    denies(
        "{name: r, vault-namespaces: ['']}",
        &[path("vault-write:team-b/pki/issue/web")],
        "its beginning",
    );
    // Each beginning is an allowed namespace, below the pod's own.
    let below = "{name: r, vault-namespaces: ['team-a', 'team-a/**']}";
    allows(below, &[own, ("vault-namespace", "team-a")]);
    allows(below, &[own, ("vault-namespace", "team-a/x/")]);
    allows("{name: r, vault-namespaces: ['**']}", &[foreign]);
    denies(
        "{name: r, vault-namespaces: ['team-a/*']}",
        &[own, ("vault-namespace", "team-a/x")],
        "its beginning",
    );
    // Where no list is for namespaces, nobody asks.
    allows("{name: r, references: ['vault:**']}", &[foreign]);
}

/// What the policy has against a pod of `team-a` labelled `app: web`, under this configuration.
fn refusals_under(yaml: &str, annotations: &[(&str, &str)]) -> Vec<String> {
    let config = Config::from_yaml(yaml).expect(yaml);
    let all = annotations.iter().chain(&[("inject", "true"), VAULT]);
    let all: serde_json::Map<String, Value> =
        all.map(|(name, value)| (format!("mayfly.dev/{name}"), json!(value))).collect();
    let pod = json!({"metadata": {"annotations": all, "labels": {"app": "web"}}, "spec": one()});
    let namespace = Namespace::named("team-a");
    let judgement = inject(&config, Some(&namespace), pod, false).account.judgement;
    judgement.faults().map(|fault| fault.to_string()).collect()
}

#[test]
fn what_labels_of_the_pod_alone_choose_is_judged() {
    let under = |selector: &str, role: &str| {
        let yaml = format!(
            "defaults: {{vault-address: 'https://vault:8200', vault-role: usual}}\n\
             overrides: [{{name: labelled, {selector}defaults: {{vault-role: {role}}}}}]\n\
             policy: {{rules: [{{name: r, vault-roles: ['{{namespace}}']}}]}}\n"
        );
        refusals_under(&yaml, &[])
    };
    let labels = "pod-selector: {matchLabels: {app: web}}, ";
    let told = under(labels, "admin");
    let place = "`mayfly.dev/vault-role (of the override labelled, by the pod's own labels)`: policy: rule `r`";
    assert!(told.len() == 1 && told[0].starts_with(place), "{told:?}");
    for open in [
        "namespaces: ['**'], ",
        "namespaces: ['*'], service-accounts: ['*'], ",
        "namespaces: ['{namespace}'], ",
    ] {
        assert_eq!(under(&format!("{open}{labels}"), "admin").len(), 1, "{open}");
    }
    assert_eq!(under(labels, "team-a"), Vec::<String>::new());
    // What the operator has tied to more than labels, or to none, is his own choice.
    for tied in [
        "namespaces: [team-a], ",
        "service-accounts: [web], ",
        "namespace-selector: {matchExpressions: [{key: x, operator: DoesNotExist}]}, ",
    ] {
        assert_eq!(under(&format!("{tied}{labels}"), "admin"), Vec::<String>::new(), "{tied}");
    }
    assert_eq!(under("", "admin"), Vec::<String>::new());
}

#[test]
fn a_later_override_of_the_operators_takes_the_choice_back() {
    let yaml = |last: &str| {
        format!(
            "defaults: {{vault-address: 'https://vault:8200'}}\n\
             overrides:\n\
             - {{name: labelled, pod-selector: {{matchLabels: {{app: web}}}}, defaults: {{vault-role: admin}}}}\n\
             - {{name: last, namespaces: [team-a], defaults: {{{last}: admin}}}}\n\
             policy: {{rules: [{{name: r, vault-roles: []}}]}}\n"
        )
    };
    assert_eq!(refusals_under(&yaml("vault-role"), &[]), Vec::<String>::new());
    assert_eq!(refusals_under(&yaml("vault-audience"), &[]).len(), 1);
}

#[test]
fn placeholders_of_a_default_are_the_pods_own_names() {
    let chosen = |account: &str| {
        let yaml = "defaults: {vault-role: '{namespace}', vault-auth-path: 'auth/{namespace}/{serviceaccount}', \
                    aws-role-arn: 'arn:aws:iam::123456789012:role/{namespace}/{serviceaccount}', refresh: 1m}";
        let config = Config::from_yaml(yaml).expect(yaml);
        let (namespace, pod) =
            (Namespace::named("team-a"), json!({"spec": {"serviceAccountName": account}}));
        config.defaults_for(&Subject::new(&namespace, &pod))
    };
    let good = chosen("web");
    assert_eq!(good.settings.vault_role.as_deref(), Some("team-a"));
    assert_eq!(good.settings.vault_auth_path.as_deref(), Some("team-a/web"));
    let role = "arn:aws:iam::123456789012:role/team-a/web";
    assert_eq!(good.settings.aws_role_arn.as_deref(), Some(role));
    assert_eq!(good.faults, []);
    for forged in ["../team-b", "a/b", "A", "{namespace}", "a..b", "-a", "*"] {
        let bad = chosen(forged);
        assert_eq!(bad.settings.vault_role, None, "{forged}");
        assert_eq!(bad.faults.len(), 3, "{forged}: {:?}", bad.faults);
    }
}

#[test]
fn an_authors_own_words_are_no_placeholders() {
    let rule = "{name: r, vault-roles: [team-a]}";
    denies(rule, &[VAULT, ("vault-role", "{namespace}")], "does not allow `{namespace}`");
    allows(rule, &[VAULT, ("vault-role", "team-a")]);
}

#[test]
fn a_thousand_violations_are_counted_and_fifty_are_told() {
    let mut files = String::new();
    for number in 0..1000 {
        let _infallible = writeln!(files, "- {{path: f{number}, from: 'aws-sm:foreign/{number}'}}");
    }
    let many = "'aws-sm:{namespace}/some-long-name-of-a-secret/*', ".repeat(500);
    let rule = format!("{{name: r, references: [{many}]}}");
    let pod = json!({
        "metadata": {"annotations": {"mayfly.dev/inject": "true", "mayfly.dev/files": files}},
        "spec": one(),
    });
    let Inspection { account: Account { judgement, .. }, outcome } =
        inject(&config(&rule), Some(&Namespace::named("team-a")), pod, false);
    assert_eq!((judgement.violations.len(), judgement.violations.iter().count()), (1000, 50));
    assert!(judgement.violations.iter().all(|violation| violation.remedy.len() < 1200));
    let Outcome::Denied(faults) = outcome else { panic!("admitted") };
    let told = faults.to_string();
    assert!(told.starts_with("mayfly: 1000 faults") && told.ends_with("and 950 more"), "{told}");
}
