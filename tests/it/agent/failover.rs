//! Regions that stand in for another: when it is down, and not otherwise.

use mayfly_tests::secret_server::{AwsError, Fault, Request, Scope};
use serde_json::{Value, json};

use super::pod::{Pod, terminate};

const HOME: &str = "eu-central-1";
const AWAY: &str = "eu-west-1";

/// A pod at home whose secrets are replicated.
async fn pod(files: Value) -> Pod {
    let mut pod = Pod::new(files).await;
    pod.spec["aws"]["endpoint"] = json!(format!("{}/{{region}}", pod.server.url()));
    pod.spec["aws"]["failover-regions"] = json!(["eu-north-1", AWAY]);
    pod.server.aws().put("prod/db", "one");
    pod.server.aws().put_parameter("/url", "postgres://db");
    pod
}

fn asked(pod: &Pod, region: &str) -> usize {
    let requests = pod.server.requests();
    requests.iter().filter(|request| Request::region(request) == Some(region)).count()
}

fn one_of_each(pod: &Pod) -> Value {
    let arn = pod.server.aws().secret("prod/db").expect("a secret").arn.clone();
    json!([
        {"path": "name", "from": "aws-sm:prod/db"},
        {"path": "arn", "from": arn},
        {"path": "parameter", "from": "aws-ssm:/url"},
    ])
}

#[tokio::test]
async fn nobody_else_is_asked_while_the_region_answers() {
    let mut pod = pod(json!([])).await;
    pod.spec["files"] = one_of_each(&pod);
    assert_eq!(pod.told("once").await.0, 0);
    assert_eq!((asked(&pod, HOME), asked(&pod, AWAY), asked(&pod, "eu-north-1")), (4, 0, 0));
}

#[tokio::test]
async fn a_region_that_is_down_is_stood_in_for_sts_and_all() {
    for outage in [Fault::Drop, Fault::Status(503), Fault::Aws(AwsError::internal())] {
        let mut pod = pod(json!([])).await;
        pod.spec["files"] = one_of_each(&pod);
        pod.server.faults().always(Scope::Region(HOME), outage.clone());
        pod.server.faults().always(Scope::Region("eu-north-1"), outage);
        let (code, said) = pod.told("once").await;
        assert_eq!(code, 0, "{said}");
        let read = ["name", "arn", "parameter"].map(|file| pod.read(file));
        assert_eq!(read, ["one", "one", "postgres://db"]);
        // STS and three reads; home is asked by STS, and then no more.
        assert_eq!((asked(&pod, AWAY), asked(&pod, HOME)), (4, 1));
    }
}

#[tokio::test]
async fn what_is_missing_refused_or_throttled_at_home_is_asked_for_nowhere_else() {
    let pod = pod(json!([{"path": "name", "from": "aws-sm:none"}])).await;
    assert_eq!(pod.told("once").await.0, 4);
    pod.server.aws().deny("none");
    assert_eq!(pod.told("once").await.0, 3);
    pod.server.aws().allow("none");
    pod.server.aws().put("none", "some");
    let throttled = Fault::Aws(AwsError::throttling());
    pod.server.faults().times(2, Scope::Operation("GetSecretValue"), throttled);
    assert_eq!(pod.told("once").await.0, 0);
    assert_eq!(asked(&pod, AWAY) + asked(&pod, "eu-north-1"), 0);
}

#[tokio::test]
async fn what_lies_in_another_region_lies_there() {
    let pod = pod(json!([{"path": "name", "from": "aws-sm:prod/db?region=us-east-1"}])).await;
    pod.server.faults().times(1, Scope::Region("us-east-1"), Fault::Drop);
    assert_eq!(pod.told("once").await.0, 0);
    assert_eq!((asked(&pod, "us-east-1"), asked(&pod, AWAY)), (2, 0));
}

#[tokio::test]
async fn a_replica_that_lags_behind_is_not_believed() {
    let pod = pod(json!([{"path": "name", "from": "aws-sm:prod/db"}])).await;
    // A day apart, as rotations are: what is as young as what is held may be newer.
    let day = std::time::Duration::from_hours(24);
    pod.server.aws().put("prod/db", "two");
    pod.server.aws().secret_mut("prod/db").expect("a secret").age("AWSPREVIOUS", day);
    pod.server.aws().lag_behind(AWAY);
    let agent = pod.started().await;
    assert_eq!(pod.read("name"), "two");
    pod.server.faults().always(Scope::Region(HOME), Fault::Status(503));
    pod.server.faults().always(Scope::Region("eu-north-1"), Fault::Status(503));
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    let error = pod.status()["error"]["message"].to_string();
    assert!(error.contains("older than"), "{error}");
    assert_eq!(pod.read("name"), "two");
    terminate(&agent);
}

#[tokio::test]
async fn an_outage_everywhere_is_an_outage_and_passes() {
    let pod = pod(json!([{"path": "name", "from": "aws-sm:prod/db"}])).await;
    pod.server.faults().times(5, Scope::All, Fault::Drop);
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("name").as_str()), (0, "one"), "{said}");
    assert!(said.contains("STS cannot be reached"), "{said}");
}
