//! As whom the agent asks AWS: Pod Identity, assumed roles, and never anybody else.

use std::{process::Stdio, time::Duration};

use mayfly_agent::{
    root::Root,
    source::{Ask, AwsEnvironment, Backends, Source as _},
};
use mayfly_spec::Spec;
use mayfly_tests::secret_server::{AwsError, Fault, Scope};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::Instant,
};

use super::pod::{JWT, Pod, ROLE, terminate};

const READER: &str = "arn:aws:iam::210987654321:role/reader";
const OTHER: &str = "arn:aws:iam::210987654321:role/other";
const CREDENTIALS: &str = "GET /v1/credentials";

/// A pod with a Pod Identity association, as EKS's webhook leaves the agent's container.
struct Associated {
    pod: Pod,
    url: String,
}

impl Associated {
    async fn new(from: &str) -> Self {
        let mut pod = Pod::new(json!([{"path": "file", "from": from}])).await;
        pod.spec["aws"] = json!({"identity": "pod-identity", "endpoint": pod.server.url(),
                                 "ca": {"pem": pod.server.ca_pem()}});
        pod.server.aws().put("prod/db", "hunter2");
        pod.server.aws().associate(JWT, ROLE);
        let url = pod.server.open_plain_port().await.expect("a port") + "/v1/credentials";
        Self { pod, url }
    }

    fn agent(&self, arguments: &str) -> Command {
        let mut agent = self.pod.agent(arguments);
        agent
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &self.url)
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token");
        agent
    }

    /// Starts `run` and waits for the file.
    async fn started(&self) -> Child {
        let agent = self.agent("run").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.pod.until("the file", |pod| pod.read("file") == "hunter2").await;
        agent.expect("an agent")
    }

    async fn told(&self, arguments: &str) -> (i32, String) {
        let output = self.agent(arguments).output().await.expect("an agent");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains(JWT) && !said.contains("hunter2"), "{said}");
        (output.status.code().unwrap_or(-1), said)
    }
}

#[tokio::test]
async fn pod_identity_reads_with_the_role_of_the_association() {
    let associated = Associated::new("aws-sm:prod/db").await;
    let (code, said) = associated.told("once").await;
    assert_eq!((code, associated.pod.read("file").as_str()), (0, "hunter2"), "{said}");
    let server = &associated.pod.server;
    assert_eq!((server.count(CREDENTIALS), server.requests().len()), (1, 2));
    assert_eq!(server.aws().sessions()[0].role_arn, ROLE);
}

#[tokio::test]
async fn the_pods_token_is_read_anew_for_each_exchange() {
    let associated = Associated::new("aws-sm:prod/db").await;
    let pod = &associated.pod;
    let agent = associated.started().await;
    pod.server.aws().associate("the-next-token", ROLE);
    pod.server.aws().expire_token(JWT);
    pod.server.aws().expire_sessions();
    pod.server.aws().put("prod/db", "two");
    pod.until("stale", |pod| pod.status()["state"] == "stale").await;
    let error = pod.status()["error"]["message"].to_string();
    assert!(error.contains("does not take the pod's token") && !error.contains(JWT), "{error}");
    pod.write("token", "the-next-token");
    pod.until("the new value", |pod| pod.read("file") == "two").await;
    terminate(&agent);
}

#[tokio::test]
async fn a_node_agent_that_is_busy_or_not_there_yet_is_waited_for() {
    let associated = Associated::new("aws-sm:prod/db").await;
    for fault in [Fault::Status(429), Fault::Drop, Fault::Status(500), Fault::Garbage] {
        associated.pod.server.faults().times(1, Scope::Operation(CREDENTIALS), fault);
    }
    let (code, said) = associated.told("once").await;
    assert_eq!((code, associated.pod.read("file").as_str()), (0, "hunter2"), "{said}");
    for words in ["asks for fewer calls", "broke off", "HTTP status 500", "HTTP status 200"] {
        assert!(said.contains(words), "`{said}` lacks `{words}`");
    }
}

#[tokio::test]
async fn a_service_account_without_an_association_is_told_what_to_do() {
    let mut associated = Associated::new("aws-sm:prod/db").await;
    associated.pod.write("token", "of-another-account");
    let (code, said) = associated.told("check").await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("has no association for the pod's service account"), "{said}");
    let (code, said) = associated.pod.told("check").await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI is not in the agent's"), "{said}");
    associated.url = "http://10.0.0.1/v1/credentials".to_owned();
    let (code, said) = associated.told("check").await;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("the pod's token is not sent to `http://10.0.0.1"), "{said}");
}

/// What was made a moment ago is not known everywhere at once.
#[tokio::test]
async fn an_association_that_is_seconds_old_is_waited_for() {
    let associated = Associated::new("aws-sm:prod/db").await;
    for (status, code) in [(404, "ResourceNotFoundException"), (403, "AccessDeniedException")] {
        let fault = Fault::Aws(AwsError::new(status, code, "not yet"));
        associated.pod.server.faults().times(1, Scope::Operation(CREDENTIALS), fault);
    }
    let (code, said) = associated.told("once").await;
    assert_eq!((code, associated.pod.read("file").as_str()), (0, "hunter2"), "{said}");
    assert!(said.contains("has no association for the pod's service account"), "{said}");
    assert!(said.contains("EKS Pod Identity refuses the pod"), "{said}");
}

#[tokio::test]
async fn a_role_that_is_seconds_old_is_waited_for_and_told_as_what_it_is() {
    let from = format!("aws-sm:prod/db?role={READER}");
    for (operation, error, words) in [
        (
            "AssumeRoleWithWebIdentity",
            AwsError::new(403, "AccessDenied", "Not authorized"),
            "its trust policy must allow `sts:AssumeRoleWithWebIdentity`",
        ),
        (
            "AssumeRoleWithWebIdentity",
            AwsError::new(400, "InvalidIdentityToken", "Couldn't retrieve verification key from"),
            "STS could not fetch the keys",
        ),
    ] {
        let pod = Pod::new(json!([{"path": "file", "from": from}])).await;
        pod.server.aws().put("prod/db", "hunter2");
        let fault = Fault::Aws(error);
        pod.server.faults().times(1, Scope::Operation(operation), fault.clone());
        // As long as nobody trusts the role for `over`.
        let denied = AwsError::new(403, "AccessDenied", "not yet");
        pod.server.faults().times(1, Scope::Role(READER), Fault::Aws(denied));
        pod.server.aws().trust_role(READER, ROLE, None);
        let (code, said) = pod.told("once").await;
        assert_eq!((code, pod.read("file").as_str()), (0, "hunter2"), "{said}");
        assert!(said.contains(words) && said.contains("may not assume the role"), "{said}");
        // Whoever does not wait is told what it is.
        pod.server.faults().always(Scope::Operation(operation), fault);
        let (code, said) = pod.told("check").await;
        assert!(code == 3 && said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn credentials_that_are_still_good_are_used_while_sts_hangs() {
    let pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await;
    pod.server.aws().put("prod/db", "one");
    pod.server.aws().sessions_last(Duration::from_secs(12));
    let agent = pod.started().await;
    pod.server.faults().always(Scope::Operation("AssumeRoleWithWebIdentity"), Fault::Hang);
    pod.until("a renewal", |pod| pod.server.count("AssumeRoleWithWebIdentity") == 2).await;
    pod.server.aws().put("prod/db", "two");
    let began = Instant::now();
    pod.until("the new value", |pod| pod.read("file") == "two").await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(pod.status()["state"], "ready");
    terminate(&agent);
}

/// Of one look: who waits for a dead role waits alone. The SDK's futures need more of a stack than a
/// test's thread has.
#[test]
fn a_dead_identity_of_one_role_delays_no_other() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let test = move || runtime.block_on(who_waits_for_a_dead_role_waits_alone());
    let thread = std::thread::Builder::new().stack_size(32 << 20).spawn(test);
    thread.expect("a thread").join().expect("no panic");
}

async fn who_waits_for_a_dead_role_waits_alone() {
    let pod = Pod::new(json!([
        {"path": "dead", "from": format!("aws-sm:prod/db?role={READER}")},
        {"path": "own", "from": "aws-sm:prod/db"},
        {"path": "other", "from": format!("aws-ssm:/url?role={OTHER}")},
    ]))
    .await;
    pod.server.aws().put("prod/db", "hunter2");
    pod.server.aws().put_parameter("/url", "postgres://db");
    pod.server.aws().trust_role(OTHER, ROLE, None);
    pod.server.faults().always(Scope::Role(READER), Fault::Hang);
    let spec = Spec::from_environment(&pod.spec.to_string()).expect("a configuration");
    let root = Root::new(Some(pod.root.path().to_owned()));
    let backends = Backends::new(&spec, &root, AwsEnvironment::default()).expect("backends");
    let read = async |at: usize| {
        let location = spec.files.entries()[at].references()[0].location.clone();
        let ask = [Ask { location, held: None }];
        // In a box: the SDK's futures are too deep for the compiler otherwise.
        let mut answers = Box::pin(backends.fetch_batch(&ask)).await;
        answers.pop().expect("an answer")
    };
    tokio::select! {
        biased;
        dead = read(0) => panic!("{dead:?}"),
        (own, other) = async { tokio::join!(read(1), read(2)) } => {
            own.expect("the own role's");
            other.expect("the other role's");
        }
    }
    assert_eq!(pod.server.count("AssumeRoleWithWebIdentity"), 1);
}

#[tokio::test]
async fn a_missing_region_is_told_as_such() {
    let associated = Associated::new("aws-sm:prod/db").await;
    let output = associated.agent("check").env_remove("AWS_REGION").output().await;
    let output = output.expect("an agent");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("no AWS region is known"));
}

#[tokio::test]
async fn a_role_is_assumed_over_the_pods_own_and_says_who_assumes_it() {
    let from = format!("aws-sm:prod/db?role={READER}&external-id=mayfly");
    let pod = Pod::new(json!([
        {"path": "theirs", "from": from}, {"path": "own", "from": "aws-sm:prod/db"},
        {"path": "parameter", "from": format!("aws-ssm:/url?role={READER}&external-id=mayfly")},
    ]))
    .await;
    pod.server.aws().put("prod/db", "hunter2");
    pod.server.aws().put_parameter("/url", "postgres://db");
    pod.server.aws().trust_role(READER, ROLE, Some("mayfly"));
    let (code, said) = pod.told("once").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        ["theirs", "own", "parameter"].map(|file| pod.read(file)),
        ["hunter2", "hunter2", "postgres://db"]
    );
    // Each identity is asked for once, however many references need it.
    assert_eq!(pod.server.count("AssumeRoleWithWebIdentity"), 1);
    assert_eq!(pod.server.count("AssumeRole"), 1);
    let aws = pod.server.aws();
    let session = aws.sessions().iter().find(|session| session.role_arn == READER);
    let session = session.expect("a session");
    assert_eq!(
        (session.name.as_str(), session.external_id.as_deref()),
        ("default.web-0", Some("mayfly"))
    );
}

#[tokio::test]
async fn a_role_is_assumed_over_pod_identity_too_and_renewed_through_it() {
    let associated = Associated::new(&format!("aws-sm:prod/db?role={READER}")).await;
    let pod = &associated.pod;
    pod.server.aws().trust_role(READER, ROLE, None);
    let agent = associated.started().await;
    pod.server.aws().expire_sessions();
    pod.server.aws().put("prod/db", "two");
    pod.until("the new value", |pod| pod.read("file") == "two").await;
    assert_eq!(pod.server.count(CREDENTIALS), 2);
    terminate(&agent);
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_a_fault_of_sts() {
    let pod =
        Pod::new(json!([{"path": "file", "from": format!("aws-sm:prod/db?role={READER}")}])).await;
    pod.server.aws().trust_role(READER, ROLE, Some("another"));
    let (code, said) = pod.told("check").await;
    assert_eq!(code, 3, "{said}");
    for words in [
        format!("role `{ROLE}` may not assume the role `{READER}`"),
        "grant it `sts:AssumeRole`".to_owned(),
        "no `external-id`".to_owned(),
    ] {
        assert!(said.contains(&words), "`{said}` lacks `{words}`");
    }
}

/// The default chain would follow each of these variables to the listener.
#[tokio::test]
async fn a_pod_without_identity_asks_nobody_else() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", elsewhere.local_addr().expect("an address"));
    for aws in [
        json!({"identity": "irsa", "region": "eu-central-1"}),
        json!({"identity": "irsa", "region": "eu-central-1", "role-arn": ROLE, "token-file": "/none"}),
        json!({"identity": "pod-identity", "region": "eu-central-1"}),
        json!({"identity": "default", "region": "eu-central-1"}),
    ] {
        let mut pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await;
        pod.spec["aws"] = aws.clone();
        let output = pod
            .agent("once")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)
            .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials")
            .env("AWS_ENDPOINT_URL", &url)
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "example")
            .output()
            .await
            .expect("an agent");
        assert!(matches!(output.status.code(), Some(2 | 3)), "{aws}: {output:?}");
        assert!(pod.server.requests().is_empty(), "{aws}");
    }
    // Whoever had knocked would be first in the queue.
    let ours = TcpStream::connect(elsewhere.local_addr().expect("an address")).await;
    let (_, first) = elsewhere.accept().await.expect("a connection");
    assert_eq!(first, ours.expect("a connection").local_addr().expect("an address"));
}
