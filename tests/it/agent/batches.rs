//! Many secrets in one call where that is allowed, and each alone where it is not.

use mayfly_tests::secret_server::{AwsError, Fault, Scope};
use serde_json::{Value, json};

use super::pod::{Pod, terminate};

const BATCH: &str = "BatchGetSecretValue";
const SINGLE: &str = "GetSecretValue";

/// A pod with so many secrets, each with its own name as value.
async fn pod(count: usize) -> Pod {
    let entry =
        |number: usize| json!({"path": format!("f{number}"), "from": format!("aws-sm:s{number}")});
    let pod = Pod::new((0..count).map(entry).collect::<Value>()).await;
    for number in 0..count {
        pod.server.aws().put(&format!("s{number}"), format!("v{number}"));
    }
    pod
}

fn calls(pod: &Pod) -> (usize, usize) {
    (pod.server.count(BATCH), pod.server.count(SINGLE))
}

/// All files are there, after so many calls of both kinds.
async fn delivered(pod: &Pod, count: usize, expected: (usize, usize)) {
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 0, "{said}");
    for number in 0..count {
        assert_eq!(pod.read(&format!("f{number}")), format!("v{number}"));
    }
    assert_eq!(calls(pod), expected);
}

#[tokio::test]
async fn a_name_that_ends_in_a_slash_is_written_with_its_percent_sequence() {
    let pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db%2F"}])).await;
    pod.server.aws().put("prod/db/", "hunter2");
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("file").as_str()), (0, "hunter2"), "{said}");
}

#[tokio::test]
async fn twenty_five_secrets_are_two_calls() {
    delivered(&pod(25).await, 25, (2, 0)).await;
}

#[tokio::test]
async fn a_few_secrets_are_asked_for_one_by_one() {
    delivered(&pod(4).await, 4, (0, 4)).await;
}

#[tokio::test]
async fn who_may_not_ask_for_batches_asks_for_each_and_for_no_batch_again() {
    let pod = pod(6).await;
    pod.server.aws().deny_operation(BATCH);
    let agent = pod.started().await;
    assert_eq!(pod.read("f5"), "v5");
    pod.server.aws().put("s5", "new");
    pod.until("the new value", |pod| pod.read("f5") == "new").await;
    assert_eq!(pod.server.count(BATCH), 1);
    terminate(&agent);
}

#[tokio::test]
async fn a_throttled_batch_is_asked_for_one_by_one() {
    let pod = pod(6).await;
    let throttled = Fault::Aws(AwsError::throttling());
    pod.server.faults().times(1, Scope::Operation(BATCH), throttled);
    delivered(&pod, 6, (1, 6)).await;
}

#[tokio::test]
async fn what_fails_inside_aws_is_asked_for_alone() {
    let pod = pod(6).await;
    pod.server.aws().fail_in_batches("s3");
    delivered(&pod, 6, (1, 1)).await;
}

#[tokio::test]
async fn what_is_refused_or_missing_in_a_batch_is_told_of_itself_alone() {
    let pod = pod(8).await;
    pod.server.aws().deny("s1");
    pod.server.aws().delete("s2");
    pod.server.aws().deny_key("s3");
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 3, "{said}");
    for words in [
        "may not read `s1` in eu-central-1; grant it `secretsmanager:GetSecretValue`",
        "there is no secret `s2`",
        "may not use the KMS key of `s3`; grant it `kms:Decrypt`",
    ] {
        assert!(said.contains(words), "`{said}` lacks `{words}`");
    }
    assert_eq!(said.matches("ok, 1 file").count(), 5, "{said}");
    assert_eq!(calls(&pod), (1, 0));
}

#[tokio::test]
async fn another_version_than_the_present_one_is_asked_for_alone() {
    let mut pod = pod(6).await;
    pod.server.aws().put("s0", "new");
    pod.spec["files"][0]["from"] = json!("aws-sm:s0?stage=AWSPREVIOUS");
    delivered(&pod, 6, (1, 1)).await;
}
