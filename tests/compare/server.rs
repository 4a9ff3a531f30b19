//! A real Vault on the loopback, over TLS and in memory, with ten secrets and a role for each contender.
//! Its auth method is mounted where Kubernetes' would be and speaks its protocol, but checks the tokens
//! by their key, so that no cluster is needed.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

use anyhow::{Context, Result, ensure};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mayfly_tests::{
    lab::condition::{PATIENCE, eventually},
    measure::process::Process,
};
use rcgen::KeyPair;
use reqwest::{Certificate, Client};
use serde_json::{Value, json};

use crate::contender::Kind;

/// How many secrets there are.
pub(crate) const SECRETS: usize = 10;

/// The root token.
const ROOT: &str = "root";

/// The server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it is.
    pub(crate) address: String,
    /// The certificate to trust.
    pub(crate) authority: PathBuf,
    /// The token that both log in with.
    pub(crate) token: PathBuf,
    audit: PathBuf,
    http: Client,
    _process: Process,
}

impl Server {
    /// Starts it and tells it everything.
    pub(crate) async fn start(vault: &Path, folder: &Path) -> Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let tls = folder.join("tls");
        fs::create_dir(&tls)?;
        let process = launch(vault, &listener, &tls)?;
        let authority = tls.join("vault-ca.pem");
        let http = eventually("Vault's certificate", PATIENCE, || async { client(&authority) });
        let server = Self {
            address: format!("https://{listener}"),
            token: folder.join("token"),
            audit: folder.join("audit.log"),
            http: http.await?,
            authority,
            _process: process,
        };
        let options = json!({"type": "file", "options": {"file_path": server.audit}});
        let audited = || server.write("sys/audit/file", options.clone());
        eventually("Vault", PATIENCE, audited).await?;
        server.fill().await?;
        server.trust().await?;
        Ok(server)
    }

    /// How many requests the contenders have made since their logins, in all.
    pub(crate) fn requests(&self, kind: Kind) -> Result<u64> {
        let log = fs::read_to_string(&self.audit).context("read the audit log")?;
        let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_theirs = |entry: &Value| {
            entry["type"] == "request" && entry["auth"]["metadata"]["role"] == kind.name()
        };
        Ok(entries.filter(is_theirs).map(|_| 1).sum())
    }

    async fn fill(&self) -> Result<()> {
        for number in 0..SECRETS {
            let data = json!({"data": {"value": "a value of some length, as they are"}});
            self.write(&format!("secret/data/secret-{number}"), data).await?;
        }
        Ok(())
    }

    /// Lets both log in with one token, each under a role of its own.
    async fn trust(&self) -> Result<()> {
        let key = KeyPair::generate()?;
        let keys = json!({"jwt_validation_pubkeys": [key.public_key_pem()]});
        self.write("sys/auth/kubernetes", json!({"type": "jwt"})).await?;
        self.write("auth/kubernetes/config", keys).await?;
        let policy = json!({"policy": r#"path "secret/data/*" { capabilities = ["read"] }"#});
        self.write("sys/policies/acl/reader", policy).await?;
        for kind in [Kind::VaultAgent, Kind::Mayfly] {
            let role = json!({"role_type": "jwt", "bound_audiences": ["vault"], "user_claim": "sub",
                "token_policies": ["reader"], "token_ttl": "1h"});
            self.write(&format!("auth/kubernetes/role/{}", kind.name()), role).await?;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let claims = json!({"sub": "system:serviceaccount:default:web", "aud": "vault",
            "iat": now, "exp": now + 7200});
        let key = EncodingKey::from_ec_der(&key.serialize_der());
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &key)?;
        fs::write(&self.token, token).context("write the token")
    }

    async fn write(&self, path: &str, body: Value) -> Result<()> {
        let request = self.http.post(format!("{}/v1/{path}", self.address));
        let answer = request.header("X-Vault-Token", ROOT).json(&body).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "Vault answers {status} for {path}: {}", answer.text().await?);
        Ok(())
    }
}

fn launch(vault: &Path, listener: &str, tls: &Path) -> Result<Process> {
    let mut command = Command::new(vault);
    command.args(["server", "-dev", "-dev-tls", "-dev-no-store-token"]).env("HOME", tls);
    command.arg(format!("-dev-root-token-id={ROOT}"));
    command.arg(format!("-dev-listen-address={listener}"));
    command.arg(format!("-dev-tls-cert-dir={}", tls.display()));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Ok(Process(child.context("cannot start Vault")?))
}

fn client(authority: &Path) -> Result<Client> {
    let authority = Certificate::from_pem(&fs::read(authority)?)?;
    let client = Client::builder().tls_certs_only([authority]).no_proxy();
    client.build().context("make an HTTP client")
}
