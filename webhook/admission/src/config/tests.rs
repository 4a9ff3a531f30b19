use serde_json::{Value, json};

use super::*;
use crate::{policy::Namespace, settings::list_addresses};

fn refusal(text: &str) -> String {
    Config::from_yaml(text).expect_err(text).to_string()
}

#[test]
fn an_empty_file_is_the_usual_configuration() {
    for text in ["", "# nothing\n", "{}"] {
        assert_eq!(Config::from_yaml(text).expect(text), Config::default());
    }
}

#[test]
fn everything_can_be_said() {
    let config = Config::from_yaml(
        "agent: {image: 'example/agent:1', pull-policy: Always}\n\
         defaults: {vault-address: 'https://vault:8200/', cpu-request: 10m, refresh: 1m}\n\
         vault: {addresses: ['http://dev:8200'], ca: {pem: '-----BEGIN CERTIFICATE-----'}}\n\
         aws: {endpoint: 'http://127.0.0.1:5000', sts-endpoint: 'http://127.0.0.1:5001'}\n\
         refresh-floor: 30s\nmesh-sidecars: [our-proxy]\n",
    )
    .expect("a configuration");
    assert_eq!(config.pull_policy, PullPolicy::Always);
    let addresses = config.addresses(&config.defaults.fixed);
    assert_eq!(list_addresses(&addresses), "http://dev:8200, https://vault:8200");
    assert!(config.is_mesh_sidecar("our-proxy") && config.is_mesh_sidecar("istio-proxy"));
    assert_eq!(config.aws.sts_endpoint.as_deref(), Some("http://127.0.0.1:5001"));
}

#[test]
fn the_connection_to_vault_is_the_operators_to_describe() {
    let config = Config::from_yaml(
        "vault: {server-name: vault.example, skip-verify: true, aws-auth: {region: eu-west-1, server-id: vault}}",
    )
    .expect("a configuration");
    let vault = config.vault;
    assert_eq!(vault.server_name.as_deref(), Some("vault.example"));
    assert!(vault.skip_verify && !Config::default().vault.skip_verify);
    assert_eq!(
        (vault.sts_region.as_deref(), vault.server_id.as_deref()),
        (Some("eu-west-1"), Some("vault"))
    );
}

#[test]
fn the_agents_user_is_a_number_or_the_clusters_to_choose() {
    let user = |text: &str| Config::from_yaml(text).expect(text).agent_user;
    assert_eq!(user("{}"), Some(65532));
    assert_eq!(user("agent: {user: 1000}"), Some(1000));
    assert_eq!(user("agent: {user: assigned}"), None);
}

#[test]
fn containers_can_be_left_out_by_the_beginnings_of_their_names() {
    let config = Config::from_yaml("containers-without-files: [queue-proxy, step-*]").expect("one");
    for (name, is_out) in [
        ("queue-proxy", true),
        ("queue-proxy-2", false),
        ("step-build", true),
        ("step", false),
        ("app", false),
    ] {
        assert_eq!(config.is_without_files(name), is_out, "{name}");
    }
}

#[test]
fn each_fault_is_named() {
    for (text, reason) in [
        ("containers-without-files: ['*']", "`containers-without-files`: `*` is not allowed"),
        ("containers-without-files: [a*b]", "or the beginning of one and `*`"),
        ("agent: {user: 0}", "`agent.user`: `0` is not allowed; allowed: the number of a user"),
        ("agent: {user: root}", "or `assigned`"),
        ("agnet: {}", "agnet"),
        ("agent: {image: ''}", "`agent.image`: `` is no image's name"),
        (
            "agent: {image: '{namespace}/agent:1'}",
            "`agent.image`: `{namespace}/agent:1` is no image's",
        ),
        ("agent: {image: 'https://registry.example/agent'}", "is no image's name; write"),
        ("defaults: {mode: '{namespace}'}", "`defaults.mode`: takes no placeholders"),
        ("defaults: {vault-address: 'https://{namespace}.example'}", "takes no placeholders"),
        ("defaults: {refresh: '{x}'}", "`defaults.refresh`: takes no placeholders"),
        ("defaults: {vault-role: '{team}'}", "`defaults.vault-role`: `{team}` is no placeholder"),
        ("defaults: {vault-role: 'a}'}", "`defaults.vault-role`: a brace without its other half"),
        (
            "defaults: {vault-role: '{namespace}-*'}",
            "`defaults.vault-role`: a default is one value",
        ),
        (
            "defaults: {aws-role-arn: '{namespace}'}",
            "`defaults.aws-role-arn`: `namespace` is not allowed",
        ),
        (
            "overrides: [{name: a, defaults: {vault-role: '{pod}'}}]",
            "`overrides[0].defaults.vault-role`: `{pod}` is no placeholder",
        ),
        ("agent: {pull-policy: Sometimes}", "Sometimes"),
        (
            "defaults: {inject: 'true'}",
            "`defaults.inject` is no annotation that can have a default",
        ),
        ("defaults: {vault-rol: x}", "did you mean `vault-role`?"),
        ("defaults: {mode: once}", "`defaults.mode`: `once` is not allowed"),
        ("defaults: {refresh: 1s}", "shorter than `refresh-floor`"),
        ("vault: {addresses: ['vault:8200']}", "`vault.addresses`: `vault:8200` is no address"),
        ("vault: {ca: {pem: text}}", "`vault.ca.pem` has no `-----BEGIN"),
        ("vault: {ca: {file: /x}}", "file"),
        ("vault: {server-name: 10.0.0.7}", "`vault.server-name`: `10.0.0.7` is no"),
        ("vault: {server-name: 'https://vault'}", "a host's name such as"),
        ("vault: {aws-auth: {region: x}}", "`vault.aws-auth.region`"),
        ("vault: {skip-verify: maybe}", "maybe"),
        ("aws: {endpoint: 'ftp://x'}", "`aws.endpoint`"),
        ("aws: {proxy: 'http://user:password@proxy'}", "`aws.proxy`"),
        ("- a", "expected"),
        ("overrides: [{defaults: {}}]", "name"),
        ("overrides: [{name: a}, {name: a}]", "`overrides[1].name` is the name of an earlier one"),
        ("overrides: [{name: A_b}]", "`overrides[0].name` is no name"),
        ("overrides: [{name: a, defaults: {mode: x}}]", "`overrides[0].defaults.mode`: `x` is not"),
        (
            "overrides: [{name: a, defaults: {refresh: 1s}}]",
            "`overrides[0].defaults.refresh` is sh",
        ),
        (
            "overrides: [{name: a, namespaces: ['{x}']}]",
            "`overrides[0].namespaces[0]`: `{x}` is no",
        ),
        (
            "overrides: [{name: a, pod-selector: {matchExpressions: [{key: x, operator: In}]}}]",
            "`overrides[0].pod-selector.matchExpressions[0]`: `In` and `NotIn` need `values`",
        ),
        ("overrides: [{name: a, pod-selector: {match-labels: {}}}]", "match-labels"),
        ("policy: {mode: warn}", "warn"),
        ("policy: {rules: [{name: a, reference: []}]}", "reference"),
        ("policy: {rules: [{name: a, modes: [x]}]}", "`x`"),
        (
            "policy: {rules: [{name: a, references: ['*:x']}]}",
            "`policy.rules[0].references[0]`: begin with a source",
        ),
        ("policy: {rules: [{name: a, references: ['{namespace}']}]}", "begin with a source"),
        ("policy: {rules: [{name: a, references: ['vualt:x']}]}", "did you mean `vault`?"),
        ("policy: {rules: [{name: a, references: ['vault:x#y']}]}", "leave the `#key` out"),
        ("policy: {rules: [{name: a, references: ['aws-sm:x?region=*']}]}", "only `?kv=1`"),
        (
            "policy: {rules: [{name: a, vault-addresses: ['vault:8200']}]}",
            "`policy.rules[0].vault-addresses[0]`: `vault:8200` is no address",
        ),
        (
            "policy: {rules: [{name: a, ceilings: {cpu-limit: x}}]}",
            "`policy.rules[0].ceilings.cpu-limit`: `x` is no quantity",
        ),
        ("policy: {rules: [{name: a, refresh-floor: x}]}", "`x` is no span of time"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(reason), "{text}: `{refusal}` lacks `{reason}`");
    }
}

#[test]
fn what_is_hardly_meant_is_told() {
    for (text, doubt) in [
        ("policy: {mode: enforce, rules: []}", Some("`policy` has no rules")),
        ("policy: {}", Some("`policy` has no rules")),
        ("", None),
        ("policy: {rules: [{name: a, namespaces: [x]}]}", None),
        (
            "policy: {rules: [{name: a, pod-selector: {matchLabels: {a: b}}}]}",
            Some("`policy.rules[0].pod-selector` alone"),
        ),
        (
            "policy: {rules: [{name: a, namespaces: [x], pod-selector: {matchLabels: {a: b}}}]}",
            None,
        ),
        (
            "policy: {rules: [{name: a, vault-namespaces: ['']}]}",
            Some("`policy.rules[0].vault-namespaces` refuses every path"),
        ),
        (
            "policy: {rules: [{name: a, vault-namespaces: [''], references: ['vault:**']}]}",
            Some("as in `vault:secret/**`"),
        ),
        (
            "policy: {rules: [{name: a, vault-namespaces: [''], references: ['vault:secret/**']}]}",
            None,
        ),
        ("policy: {rules: [{name: a, vault-namespaces: ['**']}]}", None),
        ("policy: {rules: [{name: a, vault-namespaces: []}]}", None),
    ] {
        let (_, doubts) = Config::check(text).expect(text);
        assert_eq!(doubts.len(), usize::from(doubt.is_some()), "{text}: {doubts:?}");
        assert!(doubt.is_none_or(|doubt| doubts[0].contains(doubt)), "{text}: {doubts:?}");
    }
}

#[test]
fn a_fault_of_form_names_its_line() {
    let refusal = refusal("agent: {}\npolicy:\n  rules:\n  - name: a\n    refrences: []\n");
    assert!(refusal.contains("refrences") && refusal.contains("line 5"), "{refusal}");
}

#[test]
fn later_overrides_are_laid_over_earlier_ones() {
    let config = Config::from_yaml(
        "defaults: {vault-role: all, aws-region: eu-central-1, refresh: 1h}\n\
         overrides:\n\
         - {name: teams, namespaces: ['team-*'], defaults: {vault-role: team, refresh: 2h}}\n\
         - {name: web, service-accounts: [web], defaults: {vault-role: web}}\n\
         - {name: gold, namespace-selector: {matchLabels: {tier: gold}}, defaults: {refresh: 3h}}\n",
    )
    .expect("a configuration");
    let roles = |namespace: &Namespace, account: &str| {
        let pod = json!({"spec": {"serviceAccountName": account}});
        let settings = config.defaults_for(&Subject::new(namespace, &pod)).settings;
        assert_eq!(settings.aws_region.as_deref(), Some("eu-central-1"));
        (settings.vault_role.unwrap_or_default(), settings.refresh.map(|time| time.to_string()))
    };
    let told = |role: &str, refresh: &str| (role.to_owned(), Some(refresh.to_owned()));
    assert_eq!(roles(&Namespace::named("shop"), "x"), told("all", "1h"));
    assert_eq!(roles(&Namespace::named("team-a"), "x"), told("team", "2h"));
    assert_eq!(roles(&Namespace::named("team-a"), "web"), told("web", "2h"));
    let gold = Namespace::new("team-a", [("tier".to_owned(), "gold".to_owned())], []);
    assert_eq!(roles(&gold, "x"), told("team", "3h"));
}

#[test]
fn namespaces_are_watched_only_when_their_labels_or_annotations_count() {
    for (text, needs) in [
        ("", false),
        (
            "policy: {rules: [{name: a, namespaces: [x], pod-selector: {matchLabels: {a: b}}}]}",
            false,
        ),
        ("policy: {rules: [{name: a, namespace-selector: {}}]}", false),
        ("policy: {rules: [{name: a, namespace-selector: {matchLabels: {a: b}}}]}", true),
        ("overrides: [{name: a, namespace-selector: {matchLabels: {a: b}}}]", true),
        ("namespace-annotations: true", true),
    ] {
        assert_eq!(Config::from_yaml(text).expect(text).needs_namespaces(), needs, "{text}");
    }
}

#[test]
fn the_schema_knows_every_field_and_no_other() {
    let schema = Config::schema().to_value();
    let has = |pointer: &str| schema.pointer(pointer).is_some();
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    assert!(has("/properties/namespace-annotations") && has("/properties/refresh-floor"));
    assert!(has("/$defs/Defaults/properties/vault-role"), "{schema}");
    assert!(has("/$defs/Rule/properties/vault-auth-paths"), "{schema}");
    assert!(has("/$defs/LabelSelector/properties/matchExpressions"), "{schema}");
    assert!(!has("/$defs/Defaults/properties/inject"));
}

#[test]
fn mirrors_and_additions_are_names_and_places() {
    let config = Config::from_yaml(
        "agent:\n  image-mirrors: [mirror.example, 'mirror.example:5000/x/mayfly-agent']\n  additions:\n    keep: {variables: [RUST_LOG], mounts: [/etc/ssl/corp]}\n    drop: {variables: ['DD_*']}\n",
    )
    .expect("a configuration");
    assert_eq!(config.image_mirrors.len(), 2);
    assert!(config.additions.keep.has_mount("/etc/ssl/corp/ca.pem"));
    assert!(!config.additions.keep.has_mount("/etc/ssl/corporation"));
    assert!(config.additions.drop.has_variable("DD_SITE"));
    for (list, value) in [
        ("image-mirrors", "[https://mirror.example]"),
        ("image-mirrors", "['mirror.example/a:1']"),
        ("image-mirrors", "[mirror.example/]"),
        ("additions", "{keep: {variables: ['*']}}"),
        ("additions", "{drop: {mounts: [etc]}}"),
        ("additions", "{drop: {mounts: [/a/../b]}}"),
    ] {
        let told = refusal(&format!("agent: {{{list}: {value}}}"));
        assert!(told.contains(&format!("agent.{list}")), "{told}");
    }
}
