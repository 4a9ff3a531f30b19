use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Reference {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str, reason: &str) {
    let error = text.parse::<Reference>().expect_err(text).to_string();
    assert!(error.contains(reason), "{text}: `{error}` lacks `{reason}`");
}

#[test]
fn every_documented_form_prints_as_it_was_written() {
    for text in [
        "aws-sm:prod/db",
        "aws-sm:prod/db#password",
        "aws-sm:prod/db?stage=AWSPREVIOUS",
        "aws-sm:prod/db?version=6f1c&region=eu-central-1&role=arn:aws:iam::123456789012:role/reader#/a/b/0",
        "aws-sm:db?role=arn:aws:iam::123456789012:role/reader&external-id=a%26b",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-a1b2c3#password",
        "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/x",
        "aws-sm:prod/db%2F#password",
        "arn:aws:ssm:eu-central-1::parameter/aws/service/eks/optimized-ami/1.34/image_id",
        "aws-ssm:/prod/db/url",
        "aws-ssm:/prod/db/url?version=3",
        "aws-ssm:/prod/db/url?label=x",
        "aws-ssm:/prod/",
        "vault:secret/app#password",
        "vault:secret/app?version=3",
        "vault:secret/app?kv=1",
        "vault:teams/kv/app?kv=2&mount=teams/kv",
        "vault:database/creds/web?engine=database&namespace=team/web#username",
        "vault-write:pki/issue/web?common_name=a&namespace=a%20field&vault-engine=pki&vault-namespace=team",
        "vault:database/creds/web#username",
        "vault-write:pki/issue/web?common_name=web.default.svc#certificate",
        "file:/tmp/secret.json#user",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn reserved_characters_are_written_by_their_percent_sequences() {
    let reference = parse("  vault:secret/a%23b%3Fc%25d%20e+f g#%2Fkey#more  ");
    let Location::Vault(path) = &reference.location else { panic!("{reference:?}") };
    assert_eq!(path.path, "secret/a#b?c%d e+f g");
    assert_eq!(reference.key, Some(Key::Field("/key#more".to_owned())));
    assert_eq!(parse(&reference.to_string()), reference);
}

#[test]
fn a_raw_slash_makes_the_key_a_json_pointer() {
    assert_eq!(parse("vault:a/b#/a~1b/0").key, Some(Key::Pointer("/a~1b/0".to_owned())));
    refused("vault:a/b#/a~2", "`~0`");
}

#[test]
fn an_arn_behind_its_source_is_the_arn() {
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-a1b2c3";
    assert_eq!(parse(&format!("aws-sm:{arn}")), parse(arn));
    assert_eq!(parse(&format!("{arn}?region=us-east-1")), parse(arn));
}

#[test]
fn a_leading_slash_of_a_vault_path_is_dropped() {
    assert_eq!(parse("vault:/secret/app"), parse("vault:secret/app"));
}

#[test]
fn a_namespace_is_told_of_what_is_vaults_only() {
    for (text, namespace) in [
        ("vault:secret/app?namespace=/team/web/", Some("team/web")),
        ("vault-write:pki/issue/web?vault-namespace=team&namespace=x", Some("team")),
        ("vault-write:pki/issue/web?namespace=x", None),
        ("vault:secret/app", None),
        ("aws-sm:db", None),
    ] {
        assert_eq!(parse(text).location.vault_namespace(), namespace, "{text}");
    }
}

#[test]
fn each_fault_says_what_to_write_instead() {
    for (text, reason) in [
        ("prod/db", "names no source"),
        ("aws_sm:prod/db", "did you mean `aws-sm`"),
        ("AWS-SM:prod/db", "did you mean `aws-sm`"),
        ("aws-sm:", "the path after `aws-sm:` is empty"),
        ("vault:/#key", "is empty"),
        ("aws-sm:prod/db#", "the key after `#` is empty"),
        ("aws-sm:prod\u{7}db", "U+0007"),
        ("aws-sm:prod%0Adb", "U+000A"),
        ("aws-sm:prod%zz", "two hexadecimal digits"),
        ("aws-sm:prod%2", "two hexadecimal digits"),
        ("aws-sm:prod%é", "two hexadecimal digits"),
        ("aws-sm:prod%ff", "not UTF-8"),
        ("aws-sm:prod/db?stage", "write `stage=…`"),
        ("aws-sm:prod/db?stage=", "no value for the option `stage`"),
        ("aws-sm:prod/db?stge=x", "did you mean `stage`"),
        ("aws-sm:prod/db?stage=a&stage=b", "given twice"),
        ("aws-sm:prod/db?stage=a&version=b", "exclude each other"),
        ("aws-sm:prod/db?role=reader", "IAM role's ARN"),
        ("aws-sm:prod/db:password::", "ECS's"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:db:password::", "ECS's"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:db?region=us-east-1", "contradicts"),
        ("arn:aws:s3:eu-west-1:1:bucket", "service `s3`"),
        ("arn:aws:secretsmanager", "not an ARN"),
        ("aws-ssm:/prod/url:3", "?version=<number>"),
        ("aws-ssm:/prod/url?version=0", "whole number from 1"),
        ("aws-ssm:/prod/url?version=1&label=x", "exclude each other"),
        ("aws-ssm:/prod/?version=1", "names a tree; write its path"),
        ("aws-ssm:/prod/?label=x", "names a tree; write its path"),
        ("aws-ssm:prod/", "names a tree; write its path"),
        ("arn:aws:ssm:eu-west-1:1:parameter/prod/", "and not as an ARN"),
        ("aws-sm:db?external-id=x", "needs the option `role`"),
        ("vault:secret/app/", "trailing `/`"),
        ("vault:secret/app%2F", "trailing `/`"),
        ("aws-sm:prod/db/", "write `%2F` for it"),
        ("arn:aws:ssm:eu-west-1::parameter/prod/url", "not an ARN"),
        ("arn:aws:secretsmanager:eu-west-1::secret:parameter/aws/x", "not an ARN"),
        ("vault:secret/app?kv=3", "1 or 2"),
        ("vault:secret/app?kv=1&version=2", "exclude each other"),
        ("vault:secret/a/../b", "the name `..` in it"),
        ("vault:secret/%2e%2e/b", "the name `..` in it"),
        ("vault:secret/./b", "the name `.` in it"),
        ("vault:secret//b", "the name `` in it"),
        ("vault-write:pki/issue/../roles/web?ttl=1h", "the name `..` in it"),
        ("vault:secret/app?engine=kv", "say `kv=1` or `kv=2`"),
        ("vault:secret/app?engine=Data%20base", "`vault secrets list`"),
        ("vault:secret/app?engine=database&kv=2", "exclude each other"),
        ("vault:secret/app?engine=database&version=2", "exclude each other"),
        ("vault:secret/app?mount=secret", "needs the option `kv`"),
        ("vault:secret/app?kv=2&mount=secre", "the beginning of the path"),
        ("vault:secret/app?kv=2&mount=/", "the beginning of the path"),
        ("vault:secret/app?namespace=a/../b", "no value for the option `namespace`"),
        ("vault:secret/app?namespace=/", "no value for the option `namespace`"),
        ("vault:secret/app?namespace=%C3%A9", "no value for the option `namespace`"),
        ("vault-write:pki/issue/web?vault-namespace=a//b", "for the option `vault-namespace`"),
        ("kms:AQI?x=1", "takes no options"),
        ("kms:@@@@", "base64"),
        ("file:secret", "absolute path"),
    ] {
        refused(text, reason);
    }
}

/// Names that are no way up.
fn vault_path() -> impl Strategy<Value = String> {
    "[a-z][ -.0-~]{0,5}[a-z](/[ -.0-~]{0,4}[a-z]){1,3}"
}

fn namespace() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-z%&=#?]{1,6}(/[a-z]{1,3}){0,2}")
}

fn any_vault_path() -> impl Strategy<Value = VaultPath> {
    let kv = prop_oneof![Just(None), Just(Some(KvVersion::V1)), Just(Some(KvVersion::V2))];
    let engine = prop::option::of("[a-z][a-z0-9_-]{0,9}q");
    let said = (prop::option::of(1..9u64), kv, engine, any::<bool>(), namespace());
    (vault_path(), said).prop_map(|(path, (version, kv, engine, says_mount, namespace))| {
        let is_first = |_: &KvVersion| says_mount;
        let mount = kv.filter(is_first).and_then(|_| Some(path.rsplit_once('/')?.0.to_owned()));
        VaultPath {
            version: version
                .filter(|_| kv == Some(KvVersion::V2) || kv.is_none() && engine.is_none()),
            engine: engine.filter(|_| kv.is_none()),
            ..VaultPath { kv, mount, namespace, ..VaultPath::new(path) }
        }
    })
}

fn any_reference() -> impl Strategy<Value = Reference> {
    let text = "[ -~äß]{1,12}";
    let key = prop_oneof![
        Just(None),
        text.prop_map(|name| Some(Key::Field(name))),
        "(/[a-z%#? ]{0,4}(~0|~1)?){1,3}".prop_map(|pointer| Some(Key::Pointer(pointer))),
    ];
    let body = proptest::collection::btree_map(text, "[ -~]{1,9}", 0..3);
    let location = prop_oneof![
        ("[a-zA-Z0-9/_+=.@ #%?-]{0,12}[a-z]/?", prop::option::of("[A-Z]{1,9}")).prop_map(
            |(id, stage)| {
                let version = stage.map(SecretVersion::Stage);
                let (region, role, external_id) = (None, None, None);
                Location::AwsSm(SecretsManagerSecret { id, version, region, role, external_id })
            }
        ),
        ("/[a-z/ #%?]{0,12}[a-z/]", prop::option::of(1..9u64))
            .prop_filter("empty", |(name, _)| !name.trim_matches('/').is_empty())
            .prop_map(|(name, number)| {
                let is_tree = name.ends_with('/');
                let version = number.filter(|_| !is_tree).map(ParameterVersion::Number);
                let region = Some("eu west&1".to_owned());
                let (role, external_id) = (None, None);
                Location::AwsSsm(Parameter { name, version, region, role, external_id })
            }),
        any_vault_path().prop_map(Location::Vault),
        (vault_path(), body, namespace(), prop::option::of("[a-z][a-z0-9_-]{0,9}q")).prop_map(
            |(path, body, namespace, engine)| {
                Location::VaultWrite(VaultWrite { path, body, engine, namespace })
            }
        ),
        "/[ -~]{0,9}[a-z]".prop_map(Location::File),
    ];
    (location, key).prop_map(|(location, key)| Reference { location, key })
}

proptest! {
    #[test]
    fn parsing_inverts_display(reference in any_reference()) {
        prop_assert_eq!(reference.to_string().parse(), Ok(reference));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,40}|[a-z:?#%/&=]{0,30}") {
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert_eq!(reference.to_string().parse(), Ok(reference));
        }
    }
}
