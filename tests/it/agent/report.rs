//! What `check` tells beside the references: as whom it read, what rotates, and what is old.

use std::time::Duration;

use mayfly_tests::secret_server::aws::Rotation;
use serde_json::{Value, json};

use super::pod::{Pod, ROLE};

const READER: &str = "arn:aws:iam::210987654321:role/people/reader";
const DAY: Duration = Duration::from_hours(24);

async fn pod(files: Value) -> Pod {
    let pod = Pod::new(files).await;
    pod.server.aws().put("prod/db", "hunter2");
    pod
}

/// The line that begins with `start`, its columns parted by one blank.
fn line(said: &str, start: &str) -> String {
    let line = said.lines().find(|line| line.starts_with(start));
    let line = line.unwrap_or_default();
    assert!(!line.is_empty(), "`{said}` has no line `{start}`");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_identity_is_told_with_account_role_and_session() {
    let theirs = format!("aws-sm:prod/db?role={READER}");
    let pod = pod(json!([
        {"path": "own", "from": "aws-sm:prod/db"}, {"path": "theirs", "from": theirs},
        {"path": "again", "from": format!("aws-ssm:/url?role={READER}")},
    ]))
    .await;
    pod.server.aws().put_parameter("/url", "postgres://db");
    pod.server.aws().trust_role(READER, ROLE, None);
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(line(&said, "irsa"), "irsa 123456789012 web default.web-0");
    let expected = format!("?role={READER} 210987654321 reader default.web-0");
    assert_eq!(line(&said, "?role="), expected);
    assert_eq!(pod.server.count("GetCallerIdentity"), 2);
}

#[tokio::test]
async fn an_identity_that_there_is_not_is_told_and_not_tried_again() {
    let mut pod = pod(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await;
    pod.spec["aws"]["role-arn"] = json!("arn:aws:iam::123456789012:role/nobody");
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 3, "{said}");
    assert_eq!(line(&said, "irsa"), "irsa - - refused: no credentials");
    assert_eq!(pod.server.count("AssumeRoleWithWebIdentity"), 1);
    assert_eq!(pod.server.count("GetCallerIdentity") + pod.server.count("DescribeSecret"), 0);
}

#[tokio::test]
async fn without_aws_nobody_asks_who_they_are() {
    let pod = pod(json!([{"path": "file", "from": "vault:secret/app"}])).await;
    pod.server.vault().put("secret/app", json!({"a": "b"})).expect("a mount");
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(line(&said, "vault: "), "vault: kubernetes - web -");
    assert!(!said.contains("irsa") && !said.contains("ROTATION"), "{said}");
    assert_eq!(pod.server.count("GetCallerIdentity"), 0);
}

#[tokio::test]
async fn rotation_is_told_for_each_secret_once() {
    let pod = pod(json!([
        {"path": "a", "from": "aws-sm:prod/db"}, {"path": "b", "from": "aws-sm:prod/late"},
        {"path": "c", "from": "aws-sm:prod/static#key"}, {"path": "d", "from": "aws-sm:prod/static"},
    ]))
    .await;
    pod.server.aws().put("prod/late", "one");
    pod.server.aws().put("prod/static", r#"{"key": "one"}"#);
    let rotation = |last: &str, next: &str| {
        let [last, next] = [last, next].map(|text| humantime::parse_rfc3339(text).expect(text));
        Some(Rotation { last, next })
    };
    let set = |name: &str, rotation| {
        pod.server.aws().secret_mut(name).expect(name).rotation = rotation;
    };
    set("prod/db", rotation("2026-01-02T03:04:05Z", "2999-01-01T00:00:00Z"));
    set("prod/late", rotation("2019-01-02T03:04:05Z", "2020-01-01T00:00:00Z"));
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 0, "{said}");
    let db = "aws-sm:prod/db on 2026-01-02T03:04:05Z 2999-01-01T00:00:00Z";
    assert_eq!(line(&said, "aws-sm:prod/db "), db);
    let late = "aws-sm:prod/late on 2019-01-02T03:04:05Z 2020-01-01T00:00:00Z, overdue";
    assert_eq!(line(&said, "aws-sm:prod/late "), late);
    assert_eq!(line(&said, "aws-sm:prod/static "), "aws-sm:prod/static off - -");
    assert_eq!(pod.server.count("DescribeSecret"), 3);
}

#[tokio::test]
async fn who_may_not_know_of_rotation_is_told_so_and_has_a_sound_check() {
    let pod = pod(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await;
    pod.server.aws().deny_operation("DescribeSecret");
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 0, "{said}");
    let expected = "aws-sm:prod/db not permitted: secretsmanager:DescribeSecret - -";
    assert_eq!(line(&said, "aws-sm:prod/db "), expected);
}

#[tokio::test]
async fn what_is_old_is_warned_of_and_no_failure() {
    let pod = pod(json!([
        {"path": "new", "from": "aws-sm:prod/db"}, {"path": "old", "from": "aws-sm:prod/old"},
        {"path": "again", "from": "aws-sm:prod/old"},
    ]))
    .await;
    pod.server.aws().put("prod/old", "one");
    pod.server.aws().secret_mut("prod/old").expect("a secret").age("AWSCURRENT", 91 * DAY);
    let (code, said) = pod.told("check --warn-age 90d").await;
    assert_eq!(code, 0, "{said}");
    let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(matches!(warnings[..], [one] if one.contains("aws-sm:prod/old is ")), "{said}");
    for arguments in ["check", "check --warn-age 92d"] {
        assert!(!pod.told(arguments).await.1.contains("warning: "), "{arguments}");
    }
    assert_eq!(pod.told("check --warn-age soon").await.0, 2);
}

#[tokio::test]
async fn a_check_beside_a_running_agent_takes_nothing_from_it() {
    let mut pod = pod(json!([{"path": "file", "from": "vault:secret/app"}])).await;
    pod.spec["state"] = json!("/state");
    pod.spec["refresh"] = json!({"interval": "1h"});
    pod.server.vault().put("secret/app", json!({"a": "b"})).expect("a mount");
    let agent = pod.started().await;
    let before = pod.server.vault().live_tokens();
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 0, "{said}");
    assert!(!before.is_empty());
    assert_eq!(pod.server.vault().live_tokens(), before);
    super::pod::terminate(&agent);
}
