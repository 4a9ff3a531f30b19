use super::*;

const EVERYTHING: &str = r#"{
  "version": 1, "directory": "/run/mayfly", "mode": "sidecar",
  "aws": {"region": "us-east-1", "identity": "irsa", "role-arn": "arn:aws:iam::1:role/r", "token-file": "/t"},
  "vault": {"address": "https://v:8200", "auth": {"kubernetes": {"role": "web", "mount": "kubernetes", "token-file": "/v"}}},
  "files": [{"path": "a", "from": "vault:secret/a#$(HOME)"}],
  "access": {"mode": "0440", "group": 2000},
  "refresh": {"interval": "1h30m"}, "start": {"deadline": "30s"}
}"#;

#[test]
fn the_environment_holds_the_whole_configuration_and_no_dollar_sign() {
    let spec = Spec::from_environment(EVERYTHING).expect("a configuration");
    let json = spec.to_environment().expect("short enough");
    assert!(!json.contains('$'), "{json}");
    assert_eq!(Spec::from_environment(&json).expect("its own output"), spec);
}

#[test]
fn what_is_left_out_has_a_default() {
    let spec = Spec::from_environment(r#"{"version": 1, "directory": "d", "files": []}"#)
        .expect("a configuration");
    assert_eq!(spec.refresh.interval.to_string(), "5m");
    assert_eq!(spec.start.deadline.to_string(), "30s");
    assert_eq!(spec.access.mode, FileMode::OWNER);
}

#[test]
fn identities_are_written_in_kebab_case() {
    for (name, identity) in [
        ("default", Identity::Default),
        ("irsa", Identity::Irsa),
        ("pod-identity", Identity::PodIdentity),
    ] {
        let json = EVERYTHING.replacen("irsa", name, 1);
        let spec = Spec::from_environment(&json).expect(name);
        assert_eq!(spec.aws.expect("aws").identity, identity);
    }
}

#[test]
fn every_way_of_logging_in_is_read_and_its_mount_has_a_default() {
    for (name, fields, mount) in [
        ("kubernetes", r#""role": "web", "token-file": "/t""#, Some("kubernetes")),
        ("jwt", r#""role": "web", "token-file": "/t""#, Some("jwt")),
        ("aws", r#""role": "web", "region": "eu-west-1", "server-id": "vault""#, Some("aws")),
        (
            "approle",
            r#""role-id": "r", "secret-id-file": "/s", "wrapping-path": "p""#,
            Some("approle"),
        ),
        ("cert", r#""certificate-file": "/c", "key-file": "/k""#, Some("cert")),
    ] {
        let json = format!(r#"{{"{name}": {{{fields}}}}}"#);
        let auth: VaultAuth = serde_json::from_str(&json).expect(&json);
        let written = serde_json::to_value(&auth).expect("JSON");
        assert_eq!(written[name]["mount"].as_str(), mount, "{json}");
        let json = json.replacen(": {", r#": {"misspelt": 1, "#, 1);
        let error = serde_json::from_str::<VaultAuth>(&json).expect_err(&json).to_string();
        assert!(error.contains("unknown field `misspelt`"), "{error}");
    }
}

#[test]
fn each_fault_is_named() {
    for (from, to, reason) in [
        (r#""version": 1"#, r#""version": 2"#, "version 2 of the configuration"),
        (r#""region""#, r#""ragion""#, "unknown field `ragion`"),
        (r#""irsa""#, r#""imds""#, "unknown variant `imds`"),
        (r#""1h30m""#, r#""90""#, "`90` is no span of time"),
        (r#""1h30m""#, r#""10ms""#, "`10ms` is no span of time"),
        (r#""kubernetes": {"#, r#""ldap": {"#, "unknown variant `ldap`"),
    ] {
        let json = EVERYTHING.replacen(from, to, 1);
        let error = Spec::from_environment(&json).expect_err(&json).to_string();
        assert!(error.contains(reason), "`{error}` lacks `{reason}`");
    }
}

#[test]
fn a_configuration_that_no_variable_can_hold_is_refused() {
    let mut spec = Spec::from_environment(EVERYTHING).expect("a configuration");
    spec.directory = "x".repeat(LONGEST).into();
    assert!(matches!(spec.to_environment(), Err(EnvironmentError::Long(_))));
}
