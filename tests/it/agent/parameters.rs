//! Parameters of the Parameter Store: every form, as few calls as can be, and whose fault it is.

use mayfly_tests::secret_server::{AwsError, Fault, Scope, aws::ParameterValue};
use serde_json::{Value, json};

use super::pod::{Pod, terminate};

/// A pod with a tree of parameters, and one beside it.
async fn pod(files: Value) -> Pod {
    let pod = Pod::new(files).await;
    let mut aws = pod.server.aws();
    for (name, value) in [
        ("/prod/db/url", "postgres://db"),
        ("/prod/db/login", r#"{"user": "web", "ports": [5432]}"#),
        ("/prod/db/tls/key", "hunter2"),
        ("/prod/dbx", "beside the tree"),
        ("plain", "without a slash"),
    ] {
        aws.put_parameter(name, value);
    }
    aws.put_parameter("/prod/db/hosts", ParameterValue::List("a,b,c".to_owned()));
    drop(aws);
    pod
}

async fn delivered(pod: &Pod, files: &[(&str, &str)]) {
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 0, "{said}");
    for (file, value) in files {
        assert_eq!(pod.read(file), *value, "{file}");
    }
}

#[tokio::test]
async fn every_form_arrives_decrypted_and_in_one_call() {
    let pod = pod(json!([
        {"path": "url", "from": "aws-ssm:/prod/db/url"},
        {"path": "again", "from": "aws-ssm:/prod/db/url"},
        {"path": "user", "from": "aws-ssm:/prod/db/login#user"},
        {"path": "port", "from": "aws-ssm:/prod/db/login#/ports/0"},
        {"path": "hosts", "from": "aws-ssm:/prod/db/hosts"},
        {"path": "second", "from": "aws-ssm:/prod/db/hosts#/1"},
        {"path": "plain", "from": "aws-ssm:plain"},
        {"path": "key", "from": "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/db/tls/key"},
    ]))
    .await;
    let files = [
        ("url", "postgres://db"),
        ("again", "postgres://db"),
        ("user", "web"),
        ("port", "5432"),
        ("hosts", "a,b,c"),
        ("second", "b"),
        ("plain", "without a slash"),
        ("key", "hunter2"),
    ];
    delivered(&pod, &files).await;
    // Those of the default region in one call; the ARN names its region, and so has its own.
    assert_eq!(pod.server.count("GetParameters"), 2);
}

#[tokio::test]
async fn what_aws_publishes_is_read_by_its_arn_without_account() {
    let arn = "arn:aws:ssm:eu-central-1::parameter/aws/service/ami/id";
    let pod = pod(json!([{"path": "ami", "from": arn}])).await;
    pod.server.aws().put_parameter("/aws/service/ami/id", "ami-1");
    delivered(&pod, &[("ami", "ami-1")]).await;
}

#[tokio::test]
async fn versions_and_labels_are_asked_for_as_written() {
    let pod = pod(json!([
        {"path": "newest", "from": "aws-ssm:/prod/db/url"},
        {"path": "first", "from": "aws-ssm:/prod/db/url?version=1"},
        {"path": "live", "from": "aws-ssm:/prod/db/url?label=live"},
    ]))
    .await;
    pod.server.aws().put_parameter("/prod/db/url", "two");
    pod.server.aws().put_parameter("/prod/db/url", "three");
    pod.server.aws().parameter_mut("/prod/db/url").expect("a parameter").label(2, "live");
    delivered(&pod, &[("newest", "three"), ("first", "postgres://db"), ("live", "two")]).await;
}

#[tokio::test]
async fn a_tree_is_a_directory_however_many_pages_it_has() {
    let pod = pod(json!([{"dir": "db", "from": "aws-ssm:/prod/db/"}])).await;
    for number in 0..25 {
        pod.server.aws().put_parameter(&format!("/prod/db/many/{number:02}"), "x");
    }
    delivered(&pod, &[("db/url", "postgres://db"), ("db/tls/key", "hunter2"), ("db/many/24", "x")])
        .await;
    assert_eq!(pod.read("db/x"), "");
    // An empty page, and three of ten.
    assert_eq!(pod.server.count("GetParametersByPath"), 4);
}

#[tokio::test]
async fn a_parameter_that_comes_and_goes_in_a_tree_is_followed() {
    let pod = pod(json!([{"dir": "db", "from": "aws-ssm:/prod/db/"}])).await;
    let agent = pod.started().await;
    pod.server.aws().put_parameter("/prod/db/new", "fresh");
    pod.until("the new parameter", |pod| pod.read("db/new") == "fresh").await;
    pod.server.aws().put_parameter("/prod/db/new", "fresher");
    pod.until("its new version", |pod| pod.read("db/new") == "fresher").await;
    terminate(&agent);
}

#[tokio::test]
async fn twenty_three_parameters_are_three_calls() {
    let names: Vec<String> = (0..23).map(|number| format!("/many/{number}")).collect();
    let entry = |name: &String| json!({"path": name[1..], "from": format!("aws-ssm:{name}")});
    let pod = pod(names.iter().map(entry).collect()).await;
    for name in &names {
        pod.server.aws().put_parameter(name, name.as_str());
    }
    delivered(&pod, &[("many/0", "/many/0"), ("many/22", "/many/22")]).await;
    assert_eq!(pod.server.count("GetParameters"), 3);
}

#[tokio::test]
async fn what_is_missing_in_a_batch_is_told_of_itself_alone() {
    let pod = pod(json!([
        {"path": "url", "from": "aws-ssm:/prod/db/url"},
        {"path": "none", "from": "aws-ssm:/prod/none"},
        {"path": "gone", "from": "aws-ssm:/prod/db/login?version=7"},
    ]))
    .await;
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("no parameter `/prod/none` in eu-central-1"), "{said}");
    assert!(said.contains("no parameter `/prod/db/login` with the version 7"), "{said}");
    assert!(said.contains("ok, 1 file"), "{said}");
}

#[tokio::test]
async fn an_optional_parameter_may_be_missing_beside_the_others() {
    let pod = pod(json!([
        {"path": "url", "from": "aws-ssm:/prod/db/url"},
        {"path": "none", "from": "aws-ssm:/prod/none", "optional": true},
        {"dir": "tree", "from": "aws-ssm:/none/", "optional": true},
    ]))
    .await;
    delivered(&pod, &[("url", "postgres://db"), ("none", "")]).await;
}

#[tokio::test]
async fn a_refusal_names_the_action_and_only_what_is_refused() {
    let files = json!([
        {"path": "url", "from": "aws-ssm:/prod/db/url"},
        {"path": "key", "from": "aws-ssm:/prod/db/tls/key"},
    ]);
    let denied = pod(files.clone()).await;
    denied.server.aws().deny("/prod/db/tls/key");
    let (code, said) = denied.told("check").await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("may not read `/prod/db/tls/key` in eu-central-1"), "{said}");
    assert!(said.contains("grant it `ssm:GetParameters` on it"), "{said}");
    assert!(said.contains("ok, 1 file") && !said.contains("may not read `/prod/db/url`"), "{said}");
    let keyless = pod(files).await;
    keyless.server.aws().deny_key("/prod/db/tls/key");
    let (code, said) = keyless.told("check").await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("`kms:Decrypt`") && said.contains("ok, 1 file"), "{said}");
    let tree = pod(json!([{"dir": "db", "from": "aws-ssm:/prod/db/"}])).await;
    tree.server.aws().deny("/prod/db/");
    let (code, said) = tree.told("check").await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("grant it `ssm:GetParametersByPath` on it"), "{said}");
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let pod = pod(json!([
        {"path": "url", "from": "aws-ssm:/prod/db/url"}, {"dir": "db", "from": "aws-ssm:/prod/db/"},
    ]))
    .await;
    let throttled = Fault::Aws(AwsError::new(400, "ThrottlingException", "Rate exceeded"));
    pod.server.faults().times(3, Scope::Operation("GetParameters"), throttled);
    let (code, said) = pod.told("once").await;
    assert_eq!((code, pod.read("url").as_str()), (0, "postgres://db"), "{said}");
    assert!(said.contains("the Parameter Store asks for fewer calls"), "{said}");
}

#[tokio::test]
async fn an_older_version_after_a_newer_one_is_not_written() {
    let pod = pod(json!([{"path": "url", "from": "aws-ssm:/prod/db/url"}])).await;
    pod.server.aws().put_parameter("/prod/db/url", "two");
    let agent = pod.started().await;
    pod.server.aws().parameter_mut("/prod/db/url").expect("a parameter").roll_back();
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    assert_eq!(pod.read("url"), "two");
    pod.server.aws().put_parameter("/prod/db/url", "two again");
    pod.server.aws().put_parameter("/prod/db/url", "three");
    pod.until("the newer version", |pod| pod.read("url") == "three").await;
    terminate(&agent);
}
