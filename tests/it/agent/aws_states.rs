//! What AWS may be in the midst of: a wrong clock, a rotation, a version that is pruned.

use std::time::Duration;

use serde_json::json;

use super::pod::{Pod, ROLE, terminate};

const READER: &str = "arn:aws:iam::210987654321:role/reader";

#[tokio::test]
async fn a_clock_that_is_hours_off_is_set_once() {
    for by in [Duration::from_hours(1), Duration::from_hours(30)] {
        let pod = Pod::new(json!([
            {"path": "own", "from": "aws-sm:prod/db"},
            {"path": "theirs", "from": format!("aws-sm:prod/db?role={READER}")},
        ]))
        .await;
        pod.server.aws().put("prod/db", "one");
        pod.server.aws().trust_role(READER, ROLE, None);
        pod.server.aws().run_ahead(by);
        let agent = pod.started().await;
        assert_eq!((pod.read("own"), pod.read("theirs")), ("one".to_owned(), "one".to_owned()));
        pod.server.forget_requests();
        pod.server.aws().put("prod/db", "two");
        pod.until("the new value", |pod| pod.read("theirs") == "two").await;
        // Every later signature is right at once, and no credentials are taken for over.
        assert_eq!(
            pod.server.count("AssumeRole") + pod.server.count("AssumeRoleWithWebIdentity"),
            0
        );
        assert!(
            pod.server.requests().len().is_multiple_of(2),
            "{:?}",
            pod.server
                .requests()
                .iter()
                .map(|r| (
                    r.operation(),
                    r.header("x-amz-date").map(str::to_owned),
                    r.signed_for().map(|s| s[0].to_owned())
                ))
                .collect::<Vec<_>>()
        );
        terminate(&agent);
    }
}

#[tokio::test]
async fn a_pending_version_is_left_out_until_it_has_a_value() {
    let pod = Pod::new(json!([
        {"path": "now", "from": "aws-sm:prod/db"},
        {"path": "next", "from": "aws-sm:prod/db?stage=AWSPENDING", "optional": true},
    ]))
    .await;
    pod.server.aws().put("prod/db", "one");
    let agent = pod.started().await;
    assert_eq!((pod.read("now").as_str(), pod.read("next").as_str()), ("one", ""));
    let secret = |value: &str| {
        let mut aws = pod.server.aws();
        aws.secret_mut("prod/db").expect("a secret").put_staged("AWSPENDING", value)
    };
    let pending = secret("two");
    pod.until("the pending value", |pod| pod.read("next") == "two").await;
    assert_eq!(pod.read("now"), "one");
    pod.server.aws().secret_mut("prod/db").expect("a secret").label(&pending, "AWSCURRENT");
    pod.until("the rotation's end", |pod| pod.read("now") == "two").await;
    terminate(&agent);
}

#[tokio::test]
async fn a_pinned_version_that_vanishes_stays_on_the_volume_and_is_told() {
    let mut pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await;
    let version = pod.server.aws().put("prod/db", "one");
    pod.spec["files"][0]["from"] = json!(format!("aws-sm:prod/db?version={version}"));
    let agent = pod.started().await;
    pod.server.aws().delete("prod/db");
    pod.server.aws().put("prod/db", "another secret of this name");
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    let error = pod.status()["error"]["message"].to_string();
    assert!(error.contains("has no such version"), "{error}");
    assert_eq!(pod.read("file"), "one");
    terminate(&agent);
}

#[tokio::test]
async fn a_secret_that_waits_for_its_deletion_stays_on_the_volume_and_is_told() {
    let pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await;
    pod.server.aws().put("prod/db", "one");
    let agent = pod.started().await;
    pod.server.aws().secret_mut("prod/db").expect("a secret").marked_for_deletion = true;
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    let error = pod.status()["error"]["message"].to_string();
    assert!(error.contains("is marked for deletion; until then it can be restored"), "{error}");
    assert_eq!(pod.read("file"), "one");
    terminate(&agent);
}
