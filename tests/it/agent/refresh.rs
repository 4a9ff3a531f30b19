//! `refresh`: a look when somebody asks for one.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::pod::{Pod, terminate};

async fn pod() -> Pod {
    let mut pod = Pod::new(json!([{"path": "db", "from": "aws-sm:db"}])).await;
    pod.spec["refresh"] = json!({"interval": "1h"});
    pod.server.aws().put("db", "one");
    pod
}

#[tokio::test]
async fn who_asks_has_the_new_version_at_once_and_again_after_ten_seconds() {
    let pod = pod().await;
    let agent = pod.started().await;
    pod.server.aws().put("db", "two");
    let (code, said) = pod.told("refresh").await;
    assert_eq!((code, pod.read("db").as_str()), (0, "two"), "{said}");
    assert!(said.contains("everything is fresh, in generation 2"), "{said}");
    pod.server.aws().delete("db");
    let (began, before) = (Instant::now(), pod.server.count("GetSecretValue"));
    let (one, other) = tokio::join!(pod.told("refresh"), pod.told("refresh"));
    assert_eq!((one.0, other.0), (4, 4), "{one:?} {other:?}");
    assert!(one.1.contains("there is no secret `db`"), "{}", one.1);
    assert!(began.elapsed() > Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(pod.server.count("GetSecretValue"), before + 1);
    assert_eq!(pod.read("db"), "two");
    terminate(&agent);
}

#[tokio::test]
async fn without_an_agent_it_is_told_so() {
    let pod = pod().await;
    assert_eq!(pod.told("once").await.0, 0);
    let (code, said) = pod.told("refresh").await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no agent listens in"), "{said}");
}
