//! Templates in the real agent: every secret read once, rendered anew when one changes, and never made worse.

use mayfly_tests::secret_server::{Fault, Scope};
use serde_json::{Value, json};

use super::pod::{Pod, terminate};

/// In every value, and in no message.
const VALUE: &str = "hunter2";

async fn pod(files: Value) -> Pod {
    let pod = Pod::new(files).await;
    let mut aws = pod.server.aws();
    aws.put("prod/db", r#"{"username": "web", "password": "p@ss/hunter2"}"#);
    aws.put_parameter("/prod/web/url", "https://web");
    aws.put_parameter("/prod/web/tls/key", "it's hunter2");
    drop(aws);
    pod.server.vault().put("secret/app", json!({"token": "hunter2-one"})).expect("a mount");
    pod
}

fn template(path: &str, text: &str) -> Value {
    json!({"path": path, "template": text})
}

#[tokio::test]
async fn the_designs_first_example_arrives_with_one_read_of_each_secret() {
    let dsn = "dsn = postgres://{{ secret(\"aws-sm:prod/db\").username }}:{{ secret(\"aws-sm:prod/db\").password | urlencode }}@db/app\n";
    let tree = "{% for name, value in secrets('aws-ssm:/prod/web/') | items %}\n{{ name }}={{ value | shell }}\n{% endfor %}\n";
    let mixed = "{{ secret('vault:secret/app#token') }}/{{ secret('aws-sm:prod/db#username') }}";
    let pod = pod(json!([
        {"path": "db-password", "from": "aws-sm:prod/db#password"},
        template("app.conf", dsn), template("all.env", tree), template("mixed", mixed),
        {"path": "helm", "template": "{{ no }} [[ secret('aws-sm:prod/db').username ]]", "delimiters": "[[ ]]"},
    ]))
    .await;
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(pod.read("app.conf"), "dsn = postgres://web:p%40ss%2Fhunter2@db/app\n");
    assert_eq!(pod.read("all.env"), "tls/key='it'\\''s hunter2'\nurl='https://web'\n");
    assert_eq!(pod.read("mixed"), "hunter2-one/web");
    assert_eq!(pod.read("helm"), "{{ no }} web");
    assert_eq!(pod.server.count("GetSecretValue"), 1);
    assert_eq!(pod.server.count("GetParametersByPath"), 1);
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("template(vault:secret/app#token, aws-sm:prod/db#username)"), "{said}");
}

#[tokio::test]
async fn a_rotation_renders_anew_and_what_fails_keeps_the_old() {
    let both = "{{ secret('aws-sm:prod/db').username }}:{{ secret('vault:secret/app').token }}";
    let pod =
        pod(json!([template("both", both), {"path": "url", "from": "aws-ssm:/prod/web/url"}]))
            .await;
    let agent = pod.started().await;
    assert_eq!(pod.read("both"), "web:hunter2-one");
    pod.server.vault().put("secret/app", json!({"token": "hunter2-two"})).expect("a mount");
    pod.until("the rotation", |pod| pod.read("both") == "web:hunter2-two").await;
    // A key that is no more is a fault of this file alone.
    pod.server.aws().put("prod/db", r#"{"name": "hunter2"}"#);
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    pod.server.aws().put_parameter("/prod/web/url", "https://new");
    pod.until("the other file", |pod| pod.read("url") == "https://new").await;
    assert_eq!(pod.read("both"), "web:hunter2-two");
    let error = pod.status()["error"].to_string();
    assert!(error.contains("`both` from `template(aws-sm:prod/db, vault:secret/app)`"), "{error}");
    assert!(
        error.contains("line 1, column 4: `secret('aws-sm:prod/db').username` is not there"),
        "{error}"
    );
    assert!(!pod.read("status.json").contains(VALUE));
    // Both secrets are a group: while one cannot be read, the file stays as it is.
    pod.server.aws().put("prod/db", r#"{"username": "new"}"#);
    pod.until("its value", |pod| pod.read("both") == "new:hunter2-two").await;
    pod.server.faults().always(Scope::Operation("GET /v1/secret/"), Fault::Status(503));
    pod.server.aws().put("prod/db", r#"{"username": "newer"}"#);
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    assert_eq!(pod.read("both"), "new:hunter2-two");
    pod.server.faults().clear();
    pod.until("both", |pod| pod.read("both") == "newer:hunter2-two").await;
    terminate(&agent);
}

#[tokio::test]
async fn a_template_that_fails_at_the_start_keeps_it_closed_and_says_where() {
    for (text, code, reason) in [
        (
            "a\nb {{ secret('aws-sm:prod/db').pass }}",
            4,
            "line 2, column 6: `secret('aws-sm:prod/db').pass` is not there",
        ),
        ("{{ secret('aws-sm:prod/db#pass') }}", 4, "did you mean `password`?"),
        ("{{ secret('vault:secret/other').x }}", 4, "secret/other"),
        ("{{ secret('aws-sm:prod/db').password + 1 }}", 2, "line 1, column 4"),
        ("{{ secret('aws-sm:prod/db').password * 100000000 }}", 2, "more work than it may"),
        (
            "{% for a in range(99) %}{{ secret('aws-sm:prod/db').password * 999 }}{% endfor %}",
            2,
            "more than 1048576 bytes",
        ),
    ] {
        let pod = pod(
            json!([template("app.conf", text), {"path": "url", "from": "aws-ssm:/prod/web/url"}]),
        )
        .await;
        let (is, said) = pod.told("once").await;
        assert_eq!(is, code, "{text}: {said}");
        assert!(said.contains(reason), "{text}: `{said}` lacks `{reason}`");
        assert!(!said.contains(VALUE), "{said}");
        assert_eq!(pod.read("url"), "", "all or none: {text}");
    }
}

#[tokio::test]
async fn a_configuration_with_a_template_that_cannot_be_is_refused() {
    let pod = pod(json!([template("a", "{{ secret('vault:' ~ 'a/b') }}")])).await;
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("`a`: `template`: line 1, column 4: `secret` takes one reference"),
        "{said}"
    );
    let pod = self::pod(json!([template("a", "{{ secret('file:/etc/passwd') }}")])).await;
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("`file:` references are for local development"), "{said}");
}

#[tokio::test]
async fn what_is_optional_is_left_out_and_what_has_a_default_is_made() {
    let pod = pod(json!([
        {"path": "optional", "template": "{{ secret('vault:secret/none').x }}", "optional": true},
        template("default", "{{ secret('aws-sm:prod/db').role | default('reader') }}"),
    ]))
    .await;
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!((pod.read("optional"), pod.read("default")), (String::new(), "reader".to_owned()));
}
