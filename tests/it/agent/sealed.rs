//! Sealed values: what `seal` prints the agent opens, for whom it was sealed and for nobody else.

use std::process::Stdio;

use mayfly_tests::secret_server::{AwsError, Fault, Scope};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use super::pod::Pod;

const FOR_US: &str = "--namespace default --service-account web";

/// A pod of the service account `web`, whose only file is `from`.
async fn pod(from: impl Into<Value>) -> Pod {
    Pod::new(json!([{"path": "file", "from": from.into()}])).await
}

fn set_file(pod: &mut Pod, from: &str) {
    pod.spec["files"][0]["from"] = json!(from);
}

fn agent(pod: &Pod, arguments: &str) -> Command {
    let mut agent = pod.agent(arguments);
    agent.env("MAYFLY_SERVICE_ACCOUNT", "web");
    agent
}

/// What `seal` makes of `value`; its exit code, and all that it said.
async fn seal(pod: &Pod, value: &[u8], arguments: &str) -> (i32, String) {
    let mut seal = pod.agent(&format!("seal {arguments}"));
    seal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut seal = seal.spawn().expect("an agent");
    let mut stdin = seal.stdin.take().expect("stdin");
    // One that refuses its arguments does not read.
    let _ = stdin.write_all(value).await;
    drop(stdin);
    let output = seal.wait_with_output().await.expect("an end");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).expect("text");
    (output.status.code().unwrap_or(-1), said.trim_end().to_owned())
}

/// `value`, sealed for us with a new symmetric key; the reference and the key.
async fn sealed(pod: &Pod, value: &str) -> (String, String) {
    let key = pod.server.aws().kms_key();
    let (code, reference) = seal(pod, value.as_bytes(), &format!("--kms-key {key} {FOR_US}")).await;
    assert_eq!(code, 0, "{reference}");
    (reference, key)
}

/// A file with a value, as stdin.
#[expect(clippy::disallowed_methods, reason = "a shell opens it otherwise")]
fn pod_value(pod: &Pod) -> Stdio {
    pod.write("value", "hunter2");
    std::fs::File::open(pod.root.path().join("value")).expect("the file").into()
}

/// The agent's exit code, and its reason.
async fn once(pod: &Pod) -> (i32, String) {
    let output = agent(pod, "once").output().await.expect("an agent");
    (output.status.code().unwrap_or(-1), pod.read("termination"))
}

async fn refused(pod: &Pod, code: i32, words: &[&str]) {
    let (seen, reason) = once(pod).await;
    assert_eq!(seen, code, "{reason}");
    for word in words {
        assert!(reason.contains(word), "`{reason}` lacks `{word}`");
    }
    assert_eq!(pod.read("file"), "");
}

#[tokio::test]
async fn what_was_sealed_arrives_after_the_keys_rotation_too() {
    let mut pod = pod("aws-sm:unused").await;
    let (reference, key) = sealed(&pod, "{\"user\": \"web\"}\n").await;
    assert!(!reference.contains("web") && reference.lines().count() == 1, "{reference}");
    set_file(&mut pod, &reference);
    assert_eq!(once(&pod).await, (0, String::new()));
    assert_eq!(pod.read("file"), "{\"user\": \"web\"}\n");
    pod.server.aws().kms_key_mut(&key).expect("a key").rotate();
    set_file(&mut pod, &format!("{reference}#user"));
    assert_eq!(once(&pod).await, (0, String::new()));
    assert_eq!(pod.read("file"), "web");
    // Two data keys of two values are two.
    let again = seal(&pod, b"web", &format!("--kms-key {key} {FOR_US}")).await.1;
    assert_ne!(again, reference);
    let requests = pod.server.requests();
    let asked = requests.iter().rfind(|request| request.operation() == "Decrypt").expect("a call");
    let context = json!({"mayfly.dev/namespace": "default", "mayfly.dev/service-account": "web"});
    assert_eq!(
        (&asked.json()["EncryptionContext"], &asked.json()["KeyId"]),
        (&context, &json!(key))
    );
    assert!(
        requests.iter().all(|request| !String::from_utf8_lossy(&request.body).contains("user"))
    );
}

#[tokio::test]
async fn large_and_binary_values_arrive_as_they_are() {
    let mut pod = pod("aws-sm:unused").await;
    let key = pod.server.aws().kms_key();
    let value: Vec<u8> = (0..60_000_u32).map(|at| at.to_le_bytes()[0] ^ 0x80).collect();
    let (code, reference) = seal(&pod, &value, &format!("--kms-key {key} {FOR_US}")).await;
    assert_eq!(code, 0);
    set_file(&mut pod, &reference);
    assert_eq!(once(&pod).await.0, 0);
    let written = std::path::Path::new("run/mayfly/file");
    #[expect(clippy::disallowed_methods, reason = "the file is what is tested")]
    let written = std::fs::read(pod.root.path().join(written)).expect("the file");
    assert!(written == value);
}

#[tokio::test]
async fn nobody_else_opens_it() {
    let mut pod = pod("aws-sm:unused").await;
    let key = pod.server.aws().kms_key();
    for others in
        ["--namespace other --service-account web", "--namespace default --service-account api"]
    {
        let (code, reference) = seal(&pod, b"hunter2", &format!("--kms-key {key} {others}")).await;
        assert_eq!(code, 0, "{reference}");
        set_file(&mut pod, &reference);
        let words =
            ["sealed for another namespace or service account", &key, "namespace `default`"];
        refused(&pod, 3, &words).await;
    }
}

#[tokio::test]
async fn a_condition_on_the_context_is_told_as_a_missing_right() {
    let mut pod = pod("aws-sm:unused").await;
    let (reference, key) = sealed(&pod, "hunter2").await;
    set_file(&mut pod, &reference);
    let required = [("mayfly.dev/namespace".to_owned(), "other".to_owned())].into();
    pod.server.aws().kms_key_mut(&key).expect("a key").required = required;
    refused(
        &pod,
        3,
        &["role/web", "may not use the key", "`kms:Decrypt`", "service account `web`"],
    )
    .await;
}

#[tokio::test]
async fn one_character_less_is_told_as_altered() {
    let mut pod = pod("aws-sm:unused").await;
    let (reference, key) = sealed(&pod, "hunter2hunter2").await;
    let other = if reference.ends_with('A') { "E" } else { "A" };
    // The last four characters are three bytes of the tag.
    let at = reference.len() - 4;
    let altered = format!("{}{}{}", &reference[..at - 1], other, &reference[at..]);
    set_file(&mut pod, if altered == reference { &reference[..at] } else { &altered });
    refused(&pod, 3, &["altered", &format!("`kms:{key}`")]).await;
    assert!(!pod.read("termination").contains(&altered), "the ciphertext is not told");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_as_such() {
    let mut pod = pod("aws-sm:unused").await.hasty();
    let (reference, key) = sealed(&pod, "hunter2").await;
    set_file(&mut pod, &reference);
    pod.server.aws().kms_key_mut(&key).expect("a key").disabled = true;
    refused(&pod, 3, &["cannot be used", "enable it"]).await;
    pod.server.aws().kms_key_mut(&key).expect("a key").disabled = false;
    pod.server.aws().deny(&key);
    refused(&pod, 3, &["grant it `kms:Decrypt`"]).await;
    pod.server.aws().allow(&key);
    pod.server.faults().times(1, Scope::Operation("Decrypt"), Fault::Aws(AwsError::internal()));
    assert_eq!(once(&pod).await.0, 0, "{}", pod.read("termination"));
}

#[tokio::test]
async fn sealed_offline_it_opens_for_us_only() {
    let mut pod = pod("aws-sm:unused").await;
    let key = pod.server.aws().kms_key_pair();
    let public = pod.server.aws().kms_key_mut(&key).and_then(|key| key.public_pem());
    pod.write("public.pem", &public.expect("a public key"));
    let file = pod.root.path().join("public.pem");
    let offline = format!("--kms-key {key} --public-key {}", file.display());
    let (code, reference) = seal(&pod, b"hunter2", &format!("{offline} {FOR_US}")).await;
    assert_eq!((code, pod.server.requests().len()), (0, 0), "{reference}");
    set_file(&mut pod, &reference);
    assert_eq!(once(&pod).await, (0, String::new()));
    assert_eq!(pod.read("file"), "hunter2");
    let others = format!("{offline} --namespace other --service-account web");
    let (_, reference) = seal(&pod, b"hunter2", &others).await;
    let mut stranger = self::pod(reference).await;
    stranger.server = pod.server;
    for at in ["/aws/endpoint", "/aws/ca/pem"] {
        *stranger.spec.pointer_mut(at).expect(at) = pod.spec.pointer(at).expect(at).clone();
    }
    refused(&stranger, 3, &["sealed for another namespace or service account"]).await;
}

#[tokio::test]
async fn outside_a_pod_the_configuration_says_for_whom() {
    let mut pod = pod("aws-sm:unused").await;
    let (reference, _) = sealed(&pod, "hunter2").await;
    set_file(&mut pod, &reference);
    let laptop = |pod: &Pod| {
        let mut agent = pod.agent("once");
        agent.env_remove("KUBERNETES_SERVICE_HOST");
        agent.env_remove("MAYFLY_POD_NAMESPACE").env_remove("MAYFLY_POD_NAME");
        agent
    };
    let output = laptop(&pod).output().await.expect("an agent");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        pod.read("termination").contains("set `pod: {namespace: …"),
        "{}",
        pod.read("termination")
    );
    pod.spec["pod"] = json!({"namespace": "default", "service-account": "web"});
    assert_eq!(laptop(&pod).output().await.expect("an agent").status.code(), Some(0));
    assert_eq!(pod.read("file"), "hunter2");
    // In a pod nobody is believed but the kubelet.
    pod.spec["pod"] = json!({"namespace": "other", "service-account": "web"});
    assert_eq!(once(&pod).await.0, 0);
}

#[tokio::test]
async fn seal_says_what_it_needs() {
    let pod = pod("aws-sm:unused").await;
    let key = pod.server.aws().kms_key();
    let alias = "arn:aws:kms:eu-central-1:123456789012:alias/app";
    pod.write("private.pem", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
    let private = pod.root.path().join("private.pem");
    for (value, arguments, code, words) in [
        ("", format!("--kms-key {key} {FOR_US}"), 2, "no value on stdin"),
        ("x", format!("--kms-key {alias} {FOR_US}"), 2, "the key's own ARN"),
        (
            "x",
            format!("--kms-key {key} --namespace A --service-account web"),
            2,
            "no name of Kubernetes",
        ),
        ("x", format!("--kms-key {key} --namespace default"), 2, "--service-account"),
        ("x", format!("--kms-key {key}0 {FOR_US}"), 4, "no key"),
        ("x", format!("--kms-key {key} {FOR_US} --public-key /none"), 2, "public key `/none`"),
        (
            "x",
            format!("--kms-key {key} {FOR_US} --public-key {}", private.display()),
            2,
            "BEGIN PUBLIC KEY",
        ),
        (&"x".repeat(65_537), format!("--kms-key {key} {FOR_US}"), 2, "longer than 64 KiB"),
    ] {
        let (seen, said) = seal(&pod, value.as_bytes(), &arguments).await;
        assert_eq!(seen, code, "{arguments}: {said}");
        assert!(said.contains(words), "`{said}` lacks `{words}`");
    }
    let denied = pod.server.aws().kms_key_pair();
    let (code, said) = seal(&pod, b"x", &format!("--kms-key {denied} {FOR_US}")).await;
    assert!(code == 2 && said.contains("a symmetric key, or offline"), "{said}");
    let mut bare = pod.agent(&format!("seal --kms-key {key} {FOR_US}"));
    bare.env_remove("MAYFLY_CONFIG").stdin(pod_value(&pod));
    let output = bare.output().await.expect("an agent");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no default AWS identity"), "no chain in a pod: {said}");
    pod.server.aws().deny(&key);
    let (code, said) = seal(&pod, b"x", &format!("--kms-key {key} {FOR_US}")).await;
    assert!(code == 3 && said.contains("`kms:GenerateDataKey`"), "{said}");
}

#[tokio::test]
async fn what_never_changes_is_opened_once_however_often_the_rest_is_looked_at() {
    let mut pod = Pod::new(json!([
        {"path": "file", "from": "aws-sm:unused"}, {"path": "other", "from": "aws-sm:prod/db"},
    ]))
    .await;
    let (reference, _) = sealed(&pod, "hunter2").await;
    set_file(&mut pod, &reference);
    pod.server.aws().put("prod/db", "one");
    let run = agent(&pod, "run").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let run = run.expect("an agent");
    for value in ["one", "two", "three"] {
        pod.server.aws().put("prod/db", value);
        pod.until(value, |pod| pod.read("other") == value && pod.read("file") == "hunter2").await;
    }
    assert_eq!(pod.server.count("Decrypt"), 1);
    super::pod::terminate(&run);
}
