//! The webhook's rate beside the bare handler's, and its memory under that load.

use std::{
    env,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use mayfly_tests::measure::{
    binaries::Binaries,
    process::{Process, mebibytes},
};
use serde_json::json;

use crate::{
    Table, certificate,
    load::{Load, Measured},
};

/// As many as the budget names.
const CONNECTIONS: usize = 32;
/// A server that has not begun to listen by then never will.
const START: Duration = Duration::from_secs(20);

/// Sends the same load to the bare handler, the webhook, and both once more; the ratio is between the
/// sums, so that a drift of the machine's speed touches both.
pub(crate) async fn measure(binaries: &Binaries, requests: usize, table: &mut Table) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let client = certificate::make(folder.path())?;
    let load = |address| Load { address, client: client.clone(), body: review() };
    let (bare, bare_at) = start(&mut bare_command(folder.path())?).await?;
    let (webhook, webhook_at) =
        start(&mut webhook_command(&binaries.webhook, folder.path())).await?;
    table.row([&"webhook at rest, resident", &mebibytes(webhook.memory()?.resident), &""]);
    let mut runs = Vec::new();
    for address in [bare_at, webhook_at, bare_at, webhook_at] {
        runs.push(load(address).run(CONNECTIONS, requests / 2).await?);
    }
    let single = load(webhook_at).run(1, requests / 10).await?;
    report(&runs, &single, table);
    table.row([
        &"webhook after the load, most resident",
        &mebibytes(webhook.memory()?.peak),
        &"≤ 12 MiB",
    ]);
    table.row([
        &"bare handler after the load, most resident",
        &mebibytes(bare.memory()?.peak),
        &"",
    ]);
    Ok(())
}

fn report(runs: &[Measured], single: &Measured, table: &mut Table) {
    let rate = |at: usize| f64::midpoint(runs[at].rate, runs[at + 2].rate);
    let (bare, webhook) = (rate(0), rate(1));
    table.row([&"webhook, 32 connections, reviews a second", &format!("{webhook:.0}/s"), &""]);
    table.row([&"bare axum and rustls handler, the same", &format!("{bare:.0}/s"), &""]);
    table.row([&"ratio of the two", &format!("{:.2}", webhook / bare), &"≥ 0.9"]);
    table.row([&"webhook, 32 connections, 99 of 100 below", &format!("{:.2?}", runs[3].p99), &""]);
    table.row([&"webhook, 1 connection, reviews a second", &format!("{:.0}/s", single.rate), &""]);
    table.row([&"webhook, 1 connection, median", &format!("{:.2?}", single.median), &""]);
}

/// A review of an ordinary pod with three files.
fn review() -> Bytes {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "web-", "namespace": "default", "labels": {"app": "web"}, "annotations": {
            "mayfly.dev/inject": "true",
            "mayfly.dev/aws-role-arn": "arn:aws:iam::123456789012:role/web",
            "mayfly.dev/aws-region": "us-east-1",
            "mayfly.dev/file.username": "aws-sm:MySecret#username",
            "mayfly.dev/file.password": "aws-sm:MySecret#password",
            "mayfly.dev/file.my-secret.json": "aws-sm:MySecret"
        }},
        "spec": {
            "containers": [{"name": "web", "image": "web:1", "volumeMounts": [
                {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true}]}],
            "volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
            "serviceAccountName": "web"
        }
    });
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": "default", "operation": "CREATE", "userInfo": {"username": "system:node"}, "object": pod
    }});
    Bytes::from(review.to_string())
}

fn bare_command(folder: &Path) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("bare").arg("--tls").arg(folder).env("HOME", folder);
    Ok(command)
}

fn webhook_command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["serve", "--admin-listen", "127.0.0.1:0"]).env("HOME", folder);
    command.arg("--tls-cert").arg(folder.join("tls.crt"));
    command.arg("--tls-key").arg(folder.join("tls.key"));
    command
}

/// Starts a server on a free port and waits until it listens.
async fn start(command: &mut Command) -> Result<(Process, SocketAddr)> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    command.arg("--listen").arg(address.to_string());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut process = Process(child.with_context(|| format!("cannot start {command:?}"))?);
    let deadline = Instant::now() + START;
    while Instant::now() < deadline {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return Ok((process, address));
        }
        if let Some(status) = process.0.try_wait()? {
            bail!("{command:?} ended with {status}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bail!("{command:?} does not listen")
}
