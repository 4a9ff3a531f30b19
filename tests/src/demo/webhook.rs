//! The real webhook, configured as an operator does it and asked as the API server asks it.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{
    backends::{AWS_ROLE, VAULT_AUDIENCE, VAULT_ROLE},
    child::Cast,
    ground::Ground,
    pod::Pod,
    programs::Programs,
};
use crate::secret_server::{Authority, SecretServer};

/// Its name in the logs.
pub(super) const NAME: &str = "mayfly-webhook";

/// What is to happen will have happened by then.
const LIMIT: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(20);

/// The running webhook.
#[derive(Debug)]
pub(super) struct Webhook {
    address: SocketAddr,
    admin: SocketAddr,
    client: Client,
}

/// What the webhook said.
#[derive(Debug)]
pub(super) struct Answer {
    /// The whole answer, as it came.
    pub(super) text: String,
    /// `response` of the review.
    pub(super) response: Value,
}

impl Webhook {
    /// Starts it and waits until it is ready.
    pub(super) async fn start(
        cast: &mut Cast,
        ground: &Ground,
        (programs, backends): (&Programs, &SecretServer),
    ) -> Result<Self> {
        let authority = Authority::new()?;
        write_files(&ground.webhook(), &authority, &operator_config(backends))?;
        let webhook = Self { address: free()?, admin: free()?, client: authority.client()? };
        let log = ground.logs().join("webhook.log");
        cast.start(NAME, webhook.command(programs, &ground.webhook()), log)?;
        webhook.ready(cast).await?;
        Ok(webhook)
    }

    fn command(&self, programs: &Programs, folder: &Path) -> Command {
        let mut command = Command::new(&programs.webhook);
        command.current_dir(folder).env("HOME", folder).arg("serve").args(["--drain-delay", "0s"]);
        command.arg("--listen").arg(self.address.to_string());
        command.arg("--admin-listen").arg(self.admin.to_string());
        command.args(["--tls-cert", "tls.crt", "--tls-key", "tls.key", "--config", "config.yaml"]);
        command
    }

    async fn ready(&self, cast: &mut Cast) -> Result<()> {
        let url = format!("http://{}/readyz", self.admin);
        let wait = async {
            loop {
                cast.check()?;
                match self.client.get(&url).send().await {
                    Ok(answer) if answer.status().is_success() => return Ok(()),
                    Ok(_) | Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        };
        tokio::time::timeout(LIMIT, wait)
            .await
            .with_context(|| format!("the webhook is not ready after {LIMIT:?}"))?
    }

    /// Where the API server would find it.
    pub(super) fn url(&self) -> String {
        format!("https://{}/mutate", self.address)
    }

    /// Asks about a pod, over TLS.
    pub(super) async fn review(&self, pod: &Pod) -> Result<Answer> {
        let uid = "4f5c4f0e-5c7b-4b0e-9a5e-6d2a8e0b6c11";
        let answer = self.client.post(self.url()).json(&pod.review(uid)).send().await;
        let answer = answer.context("the webhook does not answer")?;
        let status = answer.status();
        let text = answer.text().await.context("the webhook's answer breaks off")?;
        ensure!(status.is_success(), "the webhook answers {status}: {text}");
        let review: Value = serde_json::from_str(&text).context("the answer is no JSON")?;
        let response = review["response"].clone();
        ensure!(response["uid"] == uid, "the answer is to another question: {text}");
        Ok(Answer { text, response })
    }
}

/// The operator's part: where the backends are, and what holds for every pod.
fn operator_config(backends: &SecretServer) -> Value {
    let ca = json!({ "pem": backends.ca_pem() });
    json!({
        "agent": {"image": "mayfly-agent:demo"},
        "refresh-floor": "1s",
        "defaults": {
            "aws-region": "eu-central-1",
            "aws-role-arn": AWS_ROLE,
            "vault-address": backends.url(),
            "vault-role": VAULT_ROLE,
            "vault-audience": VAULT_AUDIENCE,
        },
        "aws": {"endpoint": backends.url(), "ca": ca},
        "vault": {"ca": ca},
    })
}

fn write_files(folder: &Path, authority: &Authority, config: &Value) -> Result<()> {
    let pair = authority.pair()?;
    let write = |name: &str, text: &str| fs::write(folder.join(name), text);
    fs::create_dir_all(folder)
        .and_then(|()| write("tls.crt", &pair.certificate))
        .and_then(|()| write("tls.key", &pair.key))
        // JSON is YAML.
        .and_then(|()| write("config.yaml", &format!("{config:#}\n")))
        .context("cannot write the webhook's files")
}

/// A port of the loopback that nobody has at the moment.
fn free() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot open a port")?;
    Ok(listener.local_addr()?)
}
