//! An agent that is in no pod: a folder of this machine, with its configuration and what it shows to Vault.
#![expect(clippy::disallowed_methods, reason = "a machine's files")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use mayfly_tests::{
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
    },
    secret_server::{Authority, Request},
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::tenant::Tenant;

/// A folder for one agent, which reads the tenant's secret `app`.
pub(super) struct Machine<'a> {
    tenant: &'a Tenant<'a>,
    folder: TempDir,
}

impl<'a> Machine<'a> {
    pub(super) fn new(tenant: &'a Tenant<'a>) -> Result<Self> {
        Ok(Self { tenant, folder: tempfile::tempdir().context("make a folder")? })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.path(name), text).with_context(|| format!("write {name}"))
    }

    /// A new client certificate of this authority.
    pub(super) fn certify(&self, authority: &Authority) -> Result<()> {
        let pair = authority.pair()?;
        self.write("tls.crt", &pair.certificate)?;
        self.write("tls.key", &pair.key)
    }

    /// The secret, as the agent has written it.
    pub(super) fn value(&self) -> Result<String> {
        fs::read_to_string(self.path("secrets/value")).context("read the secret")
    }

    /// Fetches and ends; `more` is added to the configuration. Gives the exit code and what was said.
    pub(super) async fn once(&self, auth: Value, more: Value) -> Result<(i32, String)> {
        let cluster = self.tenant.cluster;
        let ca = cluster.lab().pki().authority_certificate();
        let mut config = json!({
            "version": 1, "directory": self.path("secrets"),
            "vault": {"address": cluster.vault().address(), "ca": {"file": ca}, "auth": auth},
            "files": [{"path": "value", "from": format!("vault:{}#value", self.tenant.path("app"))}],
            "start": {"deadline": "10s"},
        });
        let more = more.as_object().cloned().unwrap_or_default();
        config.as_object_mut().context("a configuration")?.extend(more);
        self.write("agent.json", &config.to_string())?;
        let file = self.path("agent.json");
        let agent = cluster.agent()?.args(["once", "--log-level=debug", "--config"]);
        let output = agent.args([as_text(&file)]).output().await?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned()))
    }
}

fn as_text(path: &Path) -> String {
    path.display().to_string()
}

/// A wrapping token for what is made at `path`.
pub(super) async fn wrapped(cluster: &Cluster, path: &str) -> Result<String> {
    let vault = cluster.vault();
    let request = cluster.lab().http()?.post(format!("{}/v1/{path}", vault.address()));
    let request = request.header("X-Vault-Token", vault.token()).header("X-Vault-Wrap-TTL", "5m");
    let answer: Value = request.send().await?.error_for_status()?.json().await?;
    answer["wrap_info"]["token"].as_str().map(Into::into).context("a wrapping token")
}

/// The login that made Vault pass `request` on, with its headers changed.
pub(super) fn as_shown(role: &str, request: &Request, change: impl Fn(&mut Value)) -> Value {
    let names = [
        "authorization",
        "content-type",
        "x-amz-date",
        "x-amz-security-token",
        "x-vault-aws-iam-server-id",
    ];
    let headers =
        names.iter().filter_map(|name| Some(((*name).to_owned(), request.header(name)?.into())));
    let mut headers = Value::Object(headers.collect::<Map<String, Value>>());
    change(&mut headers);
    let base64 = |text: &[u8]| BASE64_STANDARD.encode(text);
    json!({
        "role": role,
        "iam_http_request_method": "POST",
        "iam_request_url": base64(b"https://sts.amazonaws.com/"),
        "iam_request_body": base64(&request.body),
        "iam_request_headers": base64(headers.to_string().as_bytes()),
    })
}

/// Waits until `kubectl describe pod` says so.
pub(super) async fn tells(pod: &Pod, words: &str) -> Result<()> {
    let told = || async {
        let described = pod.describe().await?;
        ensure!(described.contains(words), "{described}");
        Ok(())
    };
    eventually("`kubectl describe pod` to tell the reason", PATIENCE, told).await
}
