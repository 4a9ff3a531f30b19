//! A pod without a kubelet: folders, tokens and a configuration, and the agent in it.
#![expect(clippy::disallowed_methods, reason = "this stands in for the kubelet")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::LazyLock,
    time::Duration,
};

use mayfly_tests::secret_server::SecretServer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/web";
pub(super) const JWT: &str = "canary-service-account-token-7f3a";
/// Nothing on the loopback takes longer; if it does, something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// The agent, built as the tests were. Cargo has let go of its lock before they run.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let here = std::env::current_exe().expect("this program");
    let folder = here.parent().and_then(Path::parent).expect("the profile's folder");
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--quiet",
        "--package",
        "mayfly-agent",
    ]);
    cargo.args((!cfg!(debug_assertions)).then_some("--release"));
    cargo.arg("--target-dir").arg(folder.parent().expect("the target folder"));
    assert!(cargo.status().expect("cargo").success(), "the agent cannot be built");
    folder.join("mayfly-agent")
});

/// A pod's file system and its configuration.
pub(super) struct Pod {
    pub(super) server: SecretServer,
    pub(super) root: TempDir,
    pub(super) spec: Value,
}

impl Pod {
    /// A pod whose identity AWS and Vault trust, with these files.
    pub(super) async fn new(files: Value) -> Self {
        let server = SecretServer::start().await.expect("a server");
        let root = tempfile::tempdir().expect("a folder");
        fs::write(root.path().join("token"), format!("{JWT}\n")).expect("written");
        server.aws().trust(ROLE, JWT);
        server.vault().add_role("kubernetes", "web");
        server.vault().trust("kubernetes", "web", JWT);
        let spec = json!({
            "version": 1,
            "directory": "/run/mayfly",
            "mode": "sidecar",
            "aws": {"region": "eu-central-1", "identity": "irsa", "role-arn": ROLE, "token-file": "/token",
                    "endpoint": server.url(), "ca": {"pem": server.ca_pem()}},
            "vault": {"address": server.url(), "ca": {"pem": server.ca_pem()},
                      "auth": {"kubernetes": {"role": "web", "token-file": "/token"}}},
            "files": files,
            "refresh": {"interval": "1s"},
            "start": {"deadline": "20s"},
        });
        Self { server, root, spec }
    }

    /// The same, with so little time to start that a test can wait for its end.
    pub(super) fn hasty(mut self) -> Self {
        self.spec["start"]["deadline"] = json!("3s");
        self
    }

    /// The agent's command line, in an environment like a pod's.
    pub(super) fn agent(&self, arguments: &str) -> Command {
        let mut agent = Command::new(&*PROGRAM);
        agent
            .args(arguments.split(' '))
            .arg("--root")
            .arg(self.root.path())
            .arg("--termination-log")
            .arg(self.path("termination"))
            .env_clear()
            .env("KUBERNETES_SERVICE_HOST", "10.0.0.1")
            .env("MAYFLY_POD_NAMESPACE", "default")
            .env("MAYFLY_POD_NAME", "web-0")
            .env("MAYFLY_CONFIG", self.spec.to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        agent
    }

    /// Runs the agent to its end.
    pub(super) async fn output(&self, arguments: &str) -> Output {
        self.agent(arguments).output().await.expect("an agent")
    }

    /// Runs the agent to its end; its exit code and all that it said.
    pub(super) async fn told(&self, arguments: &str) -> (i32, String) {
        let output = self.output(arguments).await;
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    /// Starts `run` and waits for the first files.
    pub(super) async fn started(&self) -> Child {
        let agent = self.agent("run").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        assert_eq!(self.told("wait --timeout 20s").await.0, 0);
        agent.expect("an agent")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A secret's file, or another below the root.
    pub(super) fn read(&self, name: &str) -> String {
        let secret = fs::read_to_string(self.path("run/mayfly").join(name));
        secret.or_else(|_| fs::read_to_string(self.path(name))).unwrap_or_default()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    pub(super) fn status(&self) -> Value {
        serde_json::from_str(&self.read("status.json")).unwrap_or_default()
    }

    /// Waits until `condition` holds.
    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < end, "never came: {what}; {}", self.status());
            sleep(POLL).await;
        }
    }
}

/// Asks the agent to end, as the kubelet does.
pub(super) fn terminate(agent: &Child) {
    let id = agent.id().and_then(|id| i32::try_from(id).ok()).expect("a running agent");
    let id = rustix::process::Pid::from_raw(id).expect("an id");
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("a signal");
}
