use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::migration::{Classes, Migration, Migrations};

fn pod(spec: &Value) -> Value {
    json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
}

fn class(name: &str, spec: &Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec})
}

fn migrate(spec: &Value, classes: &[Value]) -> Migration {
    let mut known = Classes::default();
    for class in classes {
        known.add(class);
    }
    let mut migrations = Migrations::new(&known);
    migrations.add(&pod(spec));
    migrations.finish().pop().expect("a migration")
}

fn annotations(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let name = |name: &str| format!("mayfly.dev/{name}");
    let inject = (name("inject"), "true".to_owned());
    pairs.iter().map(|(key, value)| (name(key), (*value).to_owned())).chain([inject]).collect()
}

fn with_class() -> Value {
    json!({
        "containers": [{"name": "app", "volumeMounts": [{"name": "s", "mountPath": "/mnt/secrets"}]}],
        "volumes": [{"name": "s", "csi": {
            "driver": "secrets-store.csi.k8s.io",
            "volumeAttributes": {"secretProviderClass": "c"},
        }}],
    })
}

#[test]
fn an_aws_class_becomes_references() {
    let objects = r#"
- objectName: prod/db
  objectType: secretsmanager
  objectAlias: db.json
  jmesPath:
    - {path: username, objectAlias: user}
    - {path: tls.key, objectAlias: tls-key}
    - {path: '"pass-word"', objectAlias: password}
    - {path: 'length(a)', objectAlias: computed}
- objectName: /prod/url
  objectType: ssmparameter
  objectVersion: "3"
- objectName: arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-a1b2c3
  objectVersionLabel: AWSPREVIOUS
  objectAlias: other
"#;
    let parameters = json!({"objects": objects, "region": "eu-west-1",
        "failoverRegion": "eu-north-1", "usePodIdentity": "true"});
    let migration = migrate(
        &with_class(),
        &[class("c", &json!({"provider": "aws", "parameters": parameters}))],
    );
    let expected = annotations(&[
        ("aws-failover-regions", "eu-north-1"),
        ("aws-identity", "pod-identity"),
        ("aws-region", "eu-west-1"),
        ("mount-path", "/mnt/secrets"),
        ("file.db.json", "aws-sm:prod/db"),
        ("file.user", "aws-sm:prod/db#username"),
        ("file.tls-key", "aws-sm:prod/db#/tls/key"),
        ("file.password", "aws-sm:prod/db#pass-word"),
        ("file.prod_url", "aws-ssm:/prod/url?version=3"),
        (
            "file.other",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-a1b2c3?stage=AWSPREVIOUS",
        ),
    ]);
    assert_eq!(migration.annotations, expected);
    assert!(migration.notes.iter().any(|note| note.contains("length(a)")), "{migration}");
}

#[test]
fn a_vault_class_becomes_references() {
    let objects = r"
- {objectName: password, secretPath: secret/data/app, secretKey: password}
- {objectName: whole.json, secretPath: database/creds/web}
- {objectName: cert, secretPath: pki/issue/web, secretKey: certificate, method: PUT}
";
    let parameters = json!({"objects": objects, "roleName": "web", "vaultAddress": "https://vault.example:8200"});
    let migration = migrate(
        &with_class(),
        &[class("c", &json!({"provider": "vault", "parameters": parameters}))],
    );
    let expected = annotations(&[
        ("vault-role", "web"),
        ("vault-address", "https://vault.example:8200"),
        ("mount-path", "/mnt/secrets"),
        ("file.password", "vault:secret/app#password"),
        ("file.whole.json", "vault:database/creds/web"),
    ]);
    assert_eq!(migration.annotations, expected);
    assert!(migration.notes.iter().any(|note| note.contains("vault-write:")), "{migration}");
}

#[test]
fn every_reference_of_a_class_can_be_parsed() {
    let objects = "[{objectName: 'a b#c?d', objectAlias: x}, {objectName: a%b, objectAlias: y}]";
    let spec = json!({"provider": "aws", "parameters": {"objects": objects}});
    let migration = migrate(&with_class(), &[class("c", &spec)]);
    for (key, value) in migration.annotations {
        if key.contains("file.") {
            let parsed: Result<mayfly_spec::reference::Reference, _> = value.parse();
            parsed.unwrap_or_else(|error| panic!("{value}: {error}"));
        }
    }
}

#[test]
fn secrets_become_files_whose_source_is_asked_for() {
    let spec = json!({
        "containers": [{
            "name": "app",
            "env": [
                {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                {"name": "PLAIN", "value": "x"},
            ],
            "envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "c"}}],
            "volumeMounts": [{"name": "v", "mountPath": "/etc/tls"}],
        }],
        "volumes": [
            {"name": "v", "secret": {"secretName": "tls", "items": [{"key": "tls.crt", "path": "cert.pem"}]}},
            {"name": "c", "configMap": {"name": "c"}},
        ],
    });
    let migration = migrate(&spec, &[]);
    let expected = annotations(&[
        ("path-env", "DB_PASSWORD_FILE=db-password"),
        ("mount-path", "/etc/tls"),
        ("file.db-password", "<source of Secret db, key password>"),
        ("file.all.env", "<source of Secret all>"),
        ("file.cert.pem", "<source of Secret tls, key tls.crt>"),
    ]);
    assert_eq!(migration.annotations, expected);
    assert_eq!(migration.uses.len(), 3);
    assert!(migration.to_string().contains("mayfly.dev/inject: \"true\""), "{migration}");
}

#[test]
fn the_source_of_a_secret_that_a_class_makes_is_known() {
    let spec = json!({"containers": [{"name": "app", "env": [
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "copy", "key": "p"}}},
    ]}]});
    let made = json!({
        "provider": "aws",
        "parameters": {"objects": "[{objectName: prod/db, objectAlias: db}]"},
        "secretObjects": [{"secretName": "copy", "data": [{"objectName": "db", "key": "p"}]}],
    });
    let migration = migrate(&spec, &[class("c", &made)]);
    assert_eq!(migration.annotations["mayfly.dev/file.copy-p"], "aws-sm:prod/db");
}

#[test]
fn a_class_that_is_not_there_or_not_ours_is_a_note() {
    assert!(migrate(&with_class(), &[]).notes[0].contains("does not exist"));
    let foreign = class("c", &json!({"provider": "azure"}));
    assert!(migrate(&with_class(), &[foreign]).notes[0].contains("`azure`"));
    let unreadable = json!({"provider": "aws", "parameters": {"objects": "{"}});
    assert!(migrate(&with_class(), &[class("c", &unreadable)]).notes[0].contains("cannot be read"));
}

#[test]
fn a_pod_without_secrets_is_no_migration() {
    let classes = Classes::default();
    let mut migrations = Migrations::new(&classes);
    let token = json!({"containers": [{"name": "app"}], "volumes": [{"name": "kube-api-access",
        "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]});
    migrations.add(&pod(&token));
    assert_eq!(migrations.finish(), []);
}
