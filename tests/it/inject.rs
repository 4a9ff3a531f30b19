//! Manifests as text: what readers of YAML, of either version, make of what is printed.

use mayfly_admission::{
    config::Config,
    manifest::{Admitted, ManifestError, admit},
    policy::Namespace,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Text that a reader of YAML 1.1 or 1.2 takes for something else unless it is quoted.
const TREACHEROUS: [&str; 36] = [
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "N",
    "true",
    "null",
    "~",
    "",
    "0755",
    "0o17",
    "0x1F",
    "0b1",
    "1e3",
    "1_000",
    ".5",
    "1.",
    "+1",
    "-0",
    "1:30",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    ".inf",
    ".nan",
    "=",
    "<<",
    "-",
    "? x",
    "a: b",
    "a #b",
    "*a",
    "&a",
    "!x",
    "%x",
    "@x",
];

fn inject(text: &str) -> Admitted {
    admit(&Config::default(), &Namespace::named("default"), text).expect("a manifest")
}

fn list(data: &Value) -> String {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "annotations": {"mayfly.dev/inject": "true", "mayfly.dev/file.a": "aws-sm:a"}},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    });
    let config_map =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data});
    json!({"apiVersion": "v1", "kind": "List", "items": [config_map, pod]}).to_string()
}

fn read_back(text: &str) -> Value {
    let list: Value = serde_saphyr::from_str(text).expect("YAML");
    list["items"][0]["data"].clone()
}

#[test]
fn text_that_looks_like_something_else_is_quoted() {
    for text in TREACHEROUS {
        let admitted = inject(&list(&json!({"value": text, text: "key"}))).text;
        let quoted = [format!("value: \"{text}\"\n"), format!("value: '{text}'\n")];
        assert!(quoted.iter().any(|line| admitted.contains(line)), "{text}: {admitted}");
        let quoted = [format!("\"{text}\": key\n"), format!("'{text}': key\n")];
        assert!(quoted.iter().any(|line| admitted.contains(line)), "{text}: {admitted}");
    }
}

#[test]
fn lines_of_text_stay_lines() {
    let admitted = inject(&list(&json!({"script": "set -e\necho yes\n", "no-end": "a\nb"}))).text;
    assert!(admitted.contains("script: |\n      set -e\n      echo yes\n"), "{admitted}");
    assert!(admitted.contains("no-end: |-\n      a\n      b\n"), "{admitted}");
}

/// kubectl reads YAML 1.1: what it takes for a number is one here too.
#[test]
fn numbers_and_booleans_are_read_as_kubectl_reads_them() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {annotations: {mayfly.dev/inject: 'true', mayfly.dev/file.a: 'aws-sm:a'}}\n\
               spec:\n  hostNetwork: yes\n  containers: [{name: app, image: 'app:1'}]\n  volumes: [{name: x, secret: {defaultMode: 0400}}]\n";
    let text = inject(pod).text;
    assert!(text.contains("hostNetwork: true\n"), "{text}");
    assert!(text.contains("defaultMode: 256\n"), "{text}");
}

#[test]
fn a_document_that_is_not_ours_is_not_even_read() {
    for text in [
        "",
        "\n",
        "# nothing\n",
        "---\n---\n",
        "a: [unclosed\n",
        "a: 1\na: 2\n",
        "\u{feff}a:  1 # x\r\n",
        "- 1\n...\n%YAML 1.2\n---\n- 2",
    ] {
        assert_eq!(inject(text).text, text);
    }
}

#[test]
fn a_document_of_ours_that_is_no_yaml_is_refused() {
    let error = admit(
        &Config::default(),
        &Namespace::named("default"),
        "a: 1\n---\nkind: Pod\nx: [mayfly.dev/inject\n",
    )
    .expect_err("no YAML");
    assert!(matches!(error, ManifestError::Parse(2, _)), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_comes_out_as_it_went_in(key in any::<String>(), value in any::<String>(), lines in "([ -~]{0,9}\n){0,4}") {
        let data = json!({"key": value, "lines": lines, key: "x"});
        let admitted = inject(&list(&data)).text;
        prop_assert_eq!(read_back(&admitted), data);
        prop_assert_eq!(&inject(&admitted).text, &admitted);
    }
}
