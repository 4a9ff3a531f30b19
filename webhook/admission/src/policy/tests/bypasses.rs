//! What a hostile author would try.

use serde_json::json;

use super::*;

/// References that a rule for the tenant's own secrets must not let through, each with its trick.
const FOREIGN: [&str; 20] = [
    // Another's secret by its ARN, in either spelling, and in another account.
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:team-b/db-a1b2c3",
    "aws-sm:arn:aws:secretsmanager:eu-central-1:999999999999:secret:team-a/db-a1b2c3",
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:team-a/../team-b/db",
    // A separator that is hidden, or a name that only begins alike.
    "aws-sm:team-a%2F..%2Fteam-b/db",
    "aws-sm:team-a/x/db",
    "aws-sm:team-ab/db",
    "aws-sm:team-a",
    "aws-sm:%74eam-b/db",
    "aws-sm:Team-A/db",
    "aws-sm:/team-a/db",
    "aws-sm:team-b/db%3Fx=team-a/db",
    "aws-sm:team-b/%23team-a/db",
    // Paths that Vault, or a URL's reader, takes for another; those with `..` are no references.
    "vault:secret/team-a\\..\\team-b/db",
    // The same path under the other version's API.
    "vault:secret/data/team-a/db",
    "vault:secret/team-a/db?kv=1",
    // Another namespace, another mount, or a path that is read as it is.
    "vault:secret/team-a/db?namespace=team-b",
    "vault:secret/team-a/db?kv=2&mount=secret/team-a",
    "vault:secret/team-a/db?engine=database",
    "vault:SECRET/team-a/db",
    "vault:secret/team-b/db",
];

const OWN: &str =
    "{name: own, references: ['aws-sm:{namespace}/*', 'vault:secret/{namespace}/**']}";

#[test]
fn a_reference_to_another_tenants_secret_is_denied_in_every_spelling() {
    for reference in FOREIGN {
        denies(OWN, &[("file.a", reference)], "rule `own`");
        let listed = format!("[{{path: x, from: '{reference}'}}]");
        denies(OWN, &[("files", &listed)], "rule `own`");
        if !reference.contains("%23") {
            denies(OWN, &[("dir.a", reference)], "rule `own`");
        }
    }
}

#[test]
fn the_tenants_own_secrets_are_allowed_in_every_spelling() {
    for reference in [
        "aws-sm:team-a/db#password",
        " aws-sm:team%2Da/db?stage=AWSPREVIOUS#/a/b",
        "aws-sm:team-a/db?version=x&region=eu-central-1",
        "aws-sm:team-a/with%20blank",
        "vault:secret/team-a/a/b/c?version=3#x",
        "vault:/secret/team-a/db",
    ] {
        allows(OWN, &[("file.a", reference)]);
    }
}

#[test]
fn a_region_or_role_inside_a_reference_is_a_region_or_role() {
    let rule = "{name: own, references: ['aws-sm:{namespace}/*'], aws-roles: [], aws-regions: [eu-central-1]}";
    allows(rule, &[("file.a", "aws-sm:team-a/db?region=eu-central-1")]);
    denies(rule, &[("file.a", "aws-sm:team-a/db?region=us-east-1")], "`us-east-1`");
    let assumed = "aws-sm:team-a/db?role=arn:aws:iam::999999999999:role/x";
    denies(rule, &[("file.a", assumed)], "`arn:aws:iam::999999999999:role/x`");
}

#[test]
fn an_arn_is_allowed_as_an_arn_and_no_field_of_it_spills_over() {
    let rule =
        "{name: own, references: ['arn:aws:secretsmanager:*:111111111111:secret:{namespace}/*']}";
    let arn = |parts: &str| format!("arn:aws:secretsmanager:{parts}");
    allows(rule, &[("file.a", &arn("eu-central-1:111111111111:secret:team-a/db-a1b2c3"))]);
    let foreign = arn("eu-central-1:222222222222:secret:team-a/db");
    denies(rule, &[("file.a", &foreign)], &format!("rule `own` does not allow `{foreign}`"));
    // What has another form than an ARN's is refused before it is judged.
    for parts in [
        "eu-central-1:222222222222:secret:111111111111:secret:team-a/db",
        "eu-central-1:222222222222:111111111111:secret:team-a/db",
    ] {
        let annotations = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": arn(parts)});
        let pod = json!({"metadata": {"annotations": annotations}, "spec": one()});
        let namespace = Namespace::named("team-a");
        let Outcome::Denied(faults) = inject(&config(rule), Some(&namespace), pod, false).outcome
        else {
            panic!("{parts} is admitted");
        };
        let told = faults.to_string();
        assert!(
            told.contains("`mayfly.dev/file.a`") && !told.contains("policy"),
            "{parts}: {told}"
        );
    }
}

#[test]
fn the_other_api_of_kv_needs_a_pattern_of_its_own() {
    let rule = "{name: own, references: ['vault:kv/{namespace}/**?kv=1']}";
    allows(rule, &[("file.a", "vault:kv/team-a/db?kv=1")]);
    for reference in ["vault:kv/team-a/db", "vault:kv/team-a/db?kv=2", "vault:kv/team-a/db%3Fkv=1"]
    {
        denies(rule, &[("file.a", reference)], "rule `own`");
    }
    // A namespace that is called like a part of the API gains nothing by it.
    let everything = "{name: own, references: ['vault:secret/**']}";
    denies(everything, &[("file.a", "vault:secret/data/team-b/db?kv=1")], "rule `own`");
}

#[test]
fn vaults_own_paths_have_one_spelling() {
    let rule = "{name: r, vault-namespaces: ['team-a/**', ''], references: ['vault:secret/**'], vault-auth-paths: ['{namespace}/**']}";
    let path = ("vault-auth-path", "team-a/k8s");
    allows(rule, &[VAULT, path, ("vault-namespace", "team-a/x")]);
    for namespace in ["team-a/../team-b", "team-a//x", "team-a/./x", "team-a\\..\\team-b"] {
        denies(rule, &[VAULT, path, ("vault-namespace", namespace)], "write it without `//`");
    }
    for path in ["team-a//x", "team-a/./x"] {
        denies(rule, &[VAULT, ("vault-auth-path", path)], "write it without `//`");
    }
}

#[test]
fn names_are_never_patterns() {
    // No name of Kubernetes has a star; a forged manifest may.
    let namespace = Namespace::named("*");
    let pod = json!({"spec": {"serviceAccountName": "**"}});
    let subject = Subject::new(&namespace, &pod);
    for text in ["aws-sm:{namespace}/db", "aws-sm:{serviceaccount}/db"] {
        let pattern: Pattern = text.parse().expect(text);
        assert!(!pattern.matches("aws-sm:team-b/db", &subject), "{text}");
    }
    let named: Pattern = "aws-sm:{namespace}/db".parse().expect("a pattern");
    assert!(named.matches("aws-sm:*/db", &subject));
}

#[test]
fn what_eks_would_write_is_judged_when_an_author_writes_it() {
    let rule = "{name: r, aws-roles: ['arn:aws:iam::*:role/{namespace}'], aws-regions: ['eu-*']}";
    let forged = |name: &str, value: &str, container: &str, mounts: bool| {
        let mounts = if mounts { json!([eks_mount()]) } else { json!([]) };
        let env = json!([{"name": name, "value": value}]);
        let other = json!({"name": container, "env": env, "volumeMounts": mounts});
        let spec = json!({"containers": [{"name": "app"}, other], "volumes": [eks_volume()]});
        refusals_of(rule, &[AWS], &spec)
    };
    let foreign = "arn:aws:iam::123456789012:role/team-b";
    assert_eq!(forged("AWS_ROLE_ARN", foreign, "x", true).len(), 1);
    assert_eq!(forged("AWS_ROLE_ARN", foreign, "mayfly-agent", false).len(), 1);
    assert_eq!(forged("AWS_DEFAULT_REGION", "us-east-1", "x", true).len(), 1);
    assert_eq!(forged("AWS_ROLE_ARN", ROLE, "x", true), Vec::<String>::new());
    // Without EKS's token the agent never sees them.
    assert_eq!(forged("AWS_ROLE_ARN", foreign, "x", false), Vec::<String>::new());
    // What the kubelet puts together from other variables never reaches the agent.
    for name in ["$(DD_ROLE)", "team-b$(DD_ROLE)"] {
        let shaped = format!("arn:aws:iam::123456789012:role/{name}");
        for container in ["mayfly-agent", "x"] {
            assert_eq!(forged("AWS_ROLE_ARN", &shaped, container, true), Vec::<String>::new());
        }
    }
}

/// Another container's words are nobody's, once the agent has those of the one that it follows.
#[test]
fn what_is_judged_is_what_reaches_the_agent() {
    let rule = "{name: r, aws-roles: ['arn:aws:iam::*:role/{namespace}']}";
    let eks = |name: &str, role: &str| {
        json!({
            "name": name,
            "env": [{"name": "AWS_ROLE_ARN", "value": role}],
            "volumeMounts": [eks_mount()],
        })
    };
    let foreign = "arn:aws:iam::123456789012:role/team-b";
    let judged = |first: &str, second: &str, chosen: &str| {
        let containers = [eks("one", first), eks("two", second)];
        let spec = json!({"containers": containers, "volumes": [eks_volume()]});
        refusals_of(rule, &[AWS, ("containers", chosen)], &spec)
    };
    assert_eq!(judged(ROLE, foreign, "one"), Vec::<String>::new());
    assert_eq!(judged(ROLE, foreign, "two").len(), 1);
    assert_eq!(judged(foreign, ROLE, "one").len(), 1);
    assert_eq!(judged(foreign, ROLE, "two"), Vec::<String>::new());
}

#[test]
fn an_older_name_of_the_service_account_is_none_to_hide_behind() {
    let rules = "{name: r, service-accounts: [web]}";
    for (spec, is_selected) in [
        (json!({"serviceAccountName": "web", "containers": []}), true),
        (json!({"serviceAccountName": "evil", "serviceAccount": "web", "containers": []}), false),
        (json!({"containers": []}), false),
    ] {
        assert_eq!(refusals_of(rules, &[AWS], &spec).is_empty(), is_selected, "{spec}");
    }
}

#[test]
fn a_flood_is_judged_in_no_time() {
    let long = format!("vault:secret/team-a/{}", "a/".repeat(60_000) + "a");
    let pattern: Pattern = "vault:**/{namespace}/**a**a**a**b".parse().expect("a pattern");
    let (namespace, pod) = (Namespace::named("team-a"), json!({}));
    assert!(!pattern.matches(&long, &Subject::new(&namespace, &pod)));
}
