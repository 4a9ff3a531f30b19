//! The agent on a person's machine: the AWS CLI's files, certificates that are renewed, a terminal
//! that hangs up, a disk that is full.
#![expect(clippy::disallowed_methods, reason = "a person's files are written and opened")]

use std::{fs, process::Stdio, time::Duration};

use mayfly_tests::secret_server::aws::AccessKey;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::pod::{Pod, terminate};

/// A person's folder with a configuration for the usual chain.
async fn person() -> Pod {
    let mut pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await;
    pod.spec["aws"] = json!({"region": "eu-central-1", "endpoint": pod.server.url(),
                             "ca": {"pem": pod.server.ca_pem()}});
    let spec = pod.spec.as_object_mut().expect("an object");
    spec.remove("mode");
    pod.server.aws().put("prod/db", "one");
    fs::create_dir(pod.root.path().join(".aws")).expect("a folder");
    pod
}

fn agent(pod: &Pod, arguments: &str) -> Command {
    let mut agent = pod.agent(arguments);
    agent.env_remove("KUBERNETES_SERVICE_HOST").env("HOME", pod.root.path());
    agent.env("AWS_EC2_METADATA_DISABLED", "true");
    agent
}

async fn told(pod: &Pod, arguments: &str) -> (i32, String) {
    let output = agent(pod, arguments).output().await.expect("an agent");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

fn started(pod: &Pod) -> Child {
    let mut agent = agent(pod, "run");
    agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("an agent")
}

fn log_in(pod: &Pod, key: &AccessKey) {
    let AccessKey { id, secret, .. } = key;
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    pod.write(".aws/credentials", &text);
}

/// An agent that reads with the first of two keys.
async fn logged_in() -> (Pod, [AccessKey; 2], Child) {
    let pod = person().await;
    // One after the other: each `aws()` holds the server's state to the end of its statement.
    let first = pod.server.aws().access_key();
    let second = pod.server.aws().access_key();
    log_in(&pod, &first);
    let agent = started(&pod);
    pod.until("the file", |pod| pod.read("file") == "one").await;
    (pod, [first, second], agent)
}

#[tokio::test]
async fn a_rewritten_credentials_file_is_taken_as_it_comes() {
    let (pod, [_, second], agent) = logged_in().await;
    // The first key is still good: the file alone is the reason.
    log_in(&pod, &second);
    let signed = |pod: &Pod, key: &AccessKey| {
        let requests = pod.server.requests();
        requests.iter().any(|request| request.signed_for().is_some_and(|[id, ..]| id == key.id))
    };
    pod.until("the second key", |pod| signed(pod, &second)).await;
    pod.server.aws().put("prod/db", "two");
    pod.until("the new value", |pod| pod.read("file") == "two").await;
    terminate(&agent);
}

#[tokio::test]
async fn whoever_logs_in_again_needs_no_restart() {
    let (pod, [first, second], agent) = logged_in().await;
    pod.server.aws().revoke(&first);
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    log_in(&pod, &second);
    pod.until("recovery", |pod| pod.status()["state"] == "ready").await;
    terminate(&agent);
}

#[tokio::test]
async fn a_credential_process_is_asked() {
    let pod = person().await;
    let key = pod.server.aws().access_key();
    let given = json!({"Version": 1, "AccessKeyId": key.id, "SecretAccessKey": key.secret});
    pod.write("given.json", &given.to_string());
    let given = pod.root.path().join("given.json");
    let config = format!("[default]\ncredential_process = /bin/cat {}\n", given.display());
    pod.write(".aws/config", &config);
    let (code, said) = told(&pod, "once").await;
    assert_eq!((code, pod.read("file").as_str()), (0, "one"), "{said}");
}

#[tokio::test]
async fn every_way_of_the_aws_cli_is_known() {
    let pod = person().await;
    for (config, words) in [
        (
            "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n\
             [sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.example/start\n",
            "token",
        ),
        (
            "[default]\nsso_account_id = 123456789012\nsso_role_name = dev\n\
             sso_region = eu-central-1\nsso_start_url = https://corp.example/start\n",
            ".aws/sso/cache",
        ),
        ("[default]\nlogin_session = arn:aws:iam::123456789012:user/me\n", ".aws/login/cache"),
    ] {
        pod.write(".aws/config", config);
        let (code, said) = told(&pod, "check").await;
        assert_eq!(code, 3, "{config} {said}");
        assert!(said.contains(words) && !said.contains("feature"), "{config} {said}");
    }
}

#[tokio::test]
async fn new_authorities_are_trusted_as_they_come() {
    let mut pod = Pod::new(json!([
        {"path": "a", "from": "aws-sm:a"}, {"path": "b", "from": "vault:secret/b#v"},
    ]))
    .await;
    let put = |pod: &Pod, value: &str| {
        pod.server.aws().put("a", value);
        pod.server.vault().put("secret/b", json!({"v": value})).expect("a mount");
    };
    put(&pod, "one");
    pod.write("ca.pem", pod.server.ca_pem());
    for section in ["aws", "vault"] {
        pod.spec[section]["ca"] = json!({"file": "/ca.pem"});
    }
    let agent = pod.started().await;
    pod.server.renew_authority().await.expect("the same port");
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    // A file that is being written holds nothing good.
    pod.write("ca.pem", "-----BEGIN");
    put(&pod, "two");
    pod.write("ca.pem", pod.server.ca_pem());
    pod.until("the new value", |pod| pod.read("a") == "two" && pod.read("b") == "two").await;
    terminate(&agent);
}

#[tokio::test]
async fn a_terminal_that_hangs_up_ends_it_cleanly() {
    let pod = Pod::new(json!([{"path": "b", "from": "vault:secret/b#v"}])).await;
    pod.server.vault().put("secret/b", json!({"v": "one"})).expect("a mount");
    let mut agent = pod.started().await;
    assert_eq!(pod.server.vault().live_tokens().len(), 1);
    let id = agent.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    kill_process(id.expect("a running agent"), Signal::HUP).expect("a signal");
    let ended = timeout(Duration::from_secs(5), agent.wait()).await.expect("an end");
    assert_eq!(ended.expect("a status").code(), Some(0));
    assert!(pod.server.vault().live_tokens().is_empty());
}

fn full() -> Stdio {
    fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

#[tokio::test]
async fn a_full_disk_behind_stdout_is_an_error_and_no_panic() {
    let pod = person().await;
    let access = pod.server.aws().access_key();
    log_in(&pod, &access);
    assert_eq!(told(&pod, "once").await.0, 0);
    let key = pod.server.aws().kms_key();
    let seal = format!("seal --kms-key {key} --namespace default --service-account web");
    pod.write("value", "hunter2");
    for arguments in ["status", "status --json", "check", &seal, "--help", "--version"] {
        let value = fs::File::open(pod.root.path().join("value")).expect("a file");
        let mut agent = agent(&pod, arguments);
        agent.stdin(value).stdout(full()).stderr(Stdio::piped());
        let agent = agent.spawn().expect("an agent");
        let output = agent.wait_with_output().await.expect("an end");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {said}");
        assert!(said.contains("stdout cannot be written: No space left"), "{arguments}: {said}");
    }
}

#[tokio::test]
async fn a_full_disk_behind_stderr_changes_no_exit_code() {
    let mut pod = person().await;
    for (arguments, code) in [("status", 1), ("check --nonsense", 2), ("wait --timeout 0s", 1)] {
        let mut agent = agent(&pod, arguments);
        let ended = agent.stdout(Stdio::null()).stderr(full()).status().await;
        assert_eq!(ended.expect("an agent").code(), Some(code), "{arguments}");
    }
    pod.spec["files"] = Value::Null;
    let ended = agent(&pod, "once").stdout(Stdio::null()).stderr(full()).status().await;
    assert_eq!(ended.expect("an agent").code(), Some(2));
}
