use serde_json::json;

use super::*;
use crate::settings::VaultAddress;

/// The request of these annotations beside `inject` and one file, and what is wrong with it.
fn ask(annotations: &[(&str, &str)]) -> (Request, Vec<String>) {
    let usual = [("inject", "true"), ("file.a", "aws-sm:prod/db#a")];
    let all = usual.iter().chain(annotations);
    let all = all.map(|(name, value)| (format!("{PREFIX}{name}"), json!(value))).collect();
    match parse(&all, &Config::default(), &Subject::new(&Namespace::named("default"), &json!({}))) {
        Asked::Injection(request, faults) => {
            (*request, faults.iter().map(ToString::to_string).collect())
        }
        other => panic!("{other:?}"),
    }
}

fn settings(name: &str, value: &str) -> Settings {
    let (request, faults) = ask(&[(name, value)]);
    assert_eq!(faults, Vec::<String>::new(), "{name}={value}");
    request.settings
}

#[test]
fn every_annotation_has_a_value_that_is_taken() {
    for name in Annotation::ALL {
        let value = match name {
            Annotation::Inject => "true",
            Annotation::Files => "[{path: b, from: 'aws-sm:b'}]",
            Annotation::Mode => "init",
            Annotation::Gate => "probe",
            Annotation::StartDeadline | Annotation::Refresh => "1m",
            // The one is of a later version, the other on the operator's list only.
            Annotation::OnChange | Annotation::VaultAddress => continue,
            Annotation::MountPath => "/secrets",
            Annotation::Containers => "app, worker",
            Annotation::PathEnv => "A_FILE=a",
            Annotation::VaultRole | Annotation::VaultNamespace | Annotation::VaultAudience => "x",
            Annotation::VaultAuthMethod => "jwt",
            Annotation::VaultAuthPath => "auth/kubernetes",
            Annotation::AwsRegion => "eu-central-1",
            Annotation::AwsFailoverRegions => "eu-west-1, eu-north-1",
            Annotation::AwsRoleArn => "arn:aws-us-gov:iam::123456789012:role/path/web",
            Annotation::AwsIdentity => "pod-identity",
            Annotation::CpuRequest | Annotation::CpuLimit => "10m",
            Annotation::MemoryRequest | Annotation::MemoryLimit => "none",
            Annotation::EphemeralStorageRequest | Annotation::EphemeralStorageLimit => "50Mi",
            Annotation::VolumeSize => "2Mi",
        };
        settings(name.suffix(), value);
    }
}

#[test]
fn a_value_that_is_not_allowed_is_told_with_what_is() {
    for (name, value, reason) in [
        ("mode", "Sidecar", "did you mean `sidecar`?"),
        ("mode", "zzz", "allowed: sidecar, init, parallel"),
        ("gate", "", "allowed: hook, probe"),
        ("refresh", "5", "write a number and a unit"),
        ("refresh", "2s", "shorter than the operator's floor"),
        ("mount-path", "run", "an absolute path"),
        ("containers", "", "parted by commas"),
        ("path-env", "A", "`VARIABLE=<file>` pairs"),
        ("path-env", "1A=a", "`VARIABLE=<file>` pairs"),
        ("path-env", "A=../a", "no file `../a`"),
        ("vault-role", " \n", "one line of text"),
        ("vault-auth-path", "/", "a path such as"),
        ("vault-auth-path", "a/../b", "a path such as"),
        ("vault-address", "vault:8200", "no address"),
        ("vault-address", "https://u:p@vault", "no address"),
        ("vault-address", "https://vault/?x", "no address"),
        ("vault-address", "https://vault", "not on the operator's list, which is empty"),
        ("aws-region", "eu", "a region such as"),
        ("aws-failover-regions", "eu-west-1,", "a region such as"),
        ("aws-role-arn", "arn:aws:iam::1:role/x", "an IAM role's ARN"),
        ("aws-role-arn", "arn:aws:iam::123456789012:user/x", "an IAM role's ARN"),
        ("aws-identity", "imds", "allowed: irsa, pod-identity"),
        ("on-change", "signal:HUP:app", "not supported by this version"),
        ("cpu-request", "0", "no quantity above zero"),
        ("memory-limit", "None", "no quantity"),
        ("ephemeral-storage-limit", "much", "no quantity"),
        ("volume-size", "512Ki", "at least `1Mi`"),
        ("file.../x", "aws-sm:a", "begin with `..`"),
        ("file.a/b", "aws-sm:a", "lies inside `a`"),
        ("file.A", "aws-sm:a", "differ only in case"),
        ("file.status.json", "aws-sm:a", "the agent's own file"),
        ("file.b", "", "names no source"),
        ("file.b", "file:/etc/passwd", "local development only"),
        ("dir.b", "aws-ssm:prod/", "names a tree; write its path"),
        ("file.b", "aws-ssm:/prod/", "use `dir` instead of `path`"),
        ("file.b", "kms:AAAA", "has version 0"),
        ("file.b", "kms:AQEA", "is cut off"),
        ("template.b", "x", "the template names no secret"),
        ("template.b", "\n{{ secret(x) }}", "line 2, column 4: `secret` takes one reference"),
        ("template.b", "{{ secret('file:/etc/passwd') }}", "local development only"),
        ("template.a", "{{ secret('vault:a/b') }}", "`a` is written twice"),
        ("files", "[{path: b, template: x, dialect: sh}]", "`dialect` goes with `from`"),
        ("files", "{}", "not a YAML list"),
        ("files", "[&a [*a]]", "anchors and aliases"),
        ("files", "[[x]]", "entry 1: not a mapping"),
        ("filed", "x", "did you mean `files`?"),
    ] {
        let (_, faults) = ask(&[(name, value)]);
        assert_eq!(faults.len(), 1, "{name}={value}: {faults:?}");
        assert!(faults[0].contains(reason), "`{}` lacks `{reason}`", faults[0]);
    }
}

#[test]
fn a_files_list_that_grows_without_end_is_refused() {
    let level = |level: usize| match level {
        0 => "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(),
        _ => format!("a{level}: &a{level} [{}]\n", format!("*a{},", level - 1).repeat(9)),
    };
    let text: String = (0..12).map(level).collect();
    let (_, faults) = ask(&[("files", &text)]);
    assert!(faults[0].contains("anchors and aliases"), "{faults:?}");
}

#[test]
fn names_of_addresses_are_compared_in_one_spelling() {
    let spelled = |text| VaultAddress::parse(text).expect(text);
    assert_eq!(spelled("HTTPS://Vault.Example:443/"), spelled("https://vault.example"));
    assert_eq!(spelled("http://0x7f.1"), spelled("http://127.0.0.1"));
    assert_ne!(spelled("https://vault.example."), spelled("https://vault.example"));
    assert_ne!(spelled("http://vault.example"), spelled("https://vault.example"));
}

#[test]
fn an_operators_default_stands_where_the_author_says_nothing() {
    let config = Config::from_yaml("defaults: {mode: init, refresh: 1m, vault-role: web}")
        .expect("a configuration");
    let annotations = json!({"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a", "mayfly.dev/refresh": "2m"});
    let Asked::Injection(request, _) = parse(
        annotations.as_object().expect("a map"),
        &config,
        &Subject::new(&Namespace::named("default"), &json!({})),
    ) else {
        panic!("no request");
    };
    assert_eq!(request.settings.mode.map(mayfly_spec::spec::Mode::name), Some("init"));
    assert_eq!(request.settings.refresh.map(|refresh| refresh.to_string()), Some("2m".to_owned()));
    assert_eq!(request.own.vault_role, None);
}

#[test]
fn a_value_that_is_no_string_is_a_fault_in_a_manifest() {
    let annotations = json!({"mayfly.dev/inject": true, "mayfly.dev/file.a": 1});
    let Asked::Injection(_, faults) = parse(
        annotations.as_object().expect("a map"),
        &Config::default(),
        &Subject::new(&Namespace::named("default"), &json!({})),
    ) else {
        panic!("no request");
    };
    assert!(
        faults.iter().any(|fault| fault.to_string().contains("put it in quotes")),
        "{faults:?}"
    );
}

#[test]
fn what_is_too_much_is_refused_by_its_bound() {
    for (name, value, reason) in [
        ("containers", "a,".repeat(600), "at most 500 names"),
        ("aws-failover-regions", "eu-west-1,".repeat(40), "at most 32 regions"),
        ("path-env", "A=b,".repeat(3000), "at most 2000 variables"),
        (
            "files",
            "- {path: a, from: 'aws-sm:a'}\n".repeat(3000),
            "longer or deeper than a list of 1000",
        ),
    ] {
        let (_, faults) = ask(&[(name, &value)]);
        assert!(faults[0].contains(reason), "`{}` lacks `{reason}`", faults[0]);
    }
    let calls = (0..100).map(|at| format!("{{{{ secret('aws-sm:{at}') }}}}"));
    let template = calls.collect::<Vec<_>>().concat();
    let many: Vec<(String, &str)> =
        (0..11).map(|number| (format!("template.f{number}"), &*template)).collect();
    let many: Vec<(&str, &str)> =
        many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let (_, faults) = ask(&many);
    assert!(faults[0].contains("one reference too many; allowed: 1000"), "{}", faults[0]);
    let (_, faults) = ask(&[("template.b", &"x".repeat(70_000))]);
    assert!(faults[0].contains("70000 bytes long; allowed: 65536"), "{}", faults[0]);
    let many: Vec<(String, &str)> =
        (0..1200).map(|number| (format!("file.f{number}"), "aws-sm:a")).collect();
    let many: Vec<(&str, &str)> =
        many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let (request, faults) = ask(&many);
    assert_eq!(request.files.len(), 1000);
    assert!(faults[0].contains("one file too many; allowed: 1000"), "{}", faults[0]);
}
