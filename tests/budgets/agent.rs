//! The agent with ten secrets over TLS, five from AWS and five from Vault, logins included: how long from
//! exec to the files, and what it holds afterwards.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    lab::folders::home,
    measure::{
        binaries::Binaries,
        median,
        process::{Process, mebibytes},
    },
    secret_server::SecretServer,
};
use serde_json::{Value, json};

use crate::Table;

const ROLE: &str = "arn:aws:iam::123456789012:role/web";
/// How long the agent is left alone before its memory at rest is read.
const REST: Duration = Duration::from_secs(5);
/// A start that takes longer has failed.
const START: Duration = Duration::from_secs(10);

/// Starts the agent `starts` times for the time, and once more for the memory.
pub(crate) async fn measure(binaries: &Binaries, starts: usize, table: &mut Table) -> Result<()> {
    let server = server().await?;
    let folder = tempfile::tempdir()?;
    for (name, text) in [("aws-token", "aws"), ("vault-token", "vault")] {
        fs::write(folder.path().join(name), text)?;
    }
    let (both, vault) = (secrets(true), secrets(false));
    let times = times(binaries, folder.path(), &server, &both, starts)?;
    table.row([&"agent, exec to ten files, AWS and Vault, median", &format!("{times:.1?}"), &""]);
    let times = self::times(binaries, folder.path(), &server, &vault, starts)?;
    table.row([
        &"agent, exec to the files, loopback Vault, median",
        &format!("{times:.1?}"),
        &"≤ 20 ms",
    ]);
    let agent = start(binaries, &config(folder.path(), "rest", &server, &both)?)?;
    wait(&folder.path().join("rest"))?;
    std::thread::sleep(REST);
    let memory = agent.memory()?;
    table.row([
        &"agent at rest with ten secrets, resident",
        &mebibytes(memory.resident),
        &"≤ 10 MiB",
    ]);
    table.row([
        &"agent at rest with ten secrets, anonymous",
        &mebibytes(memory.anonymous),
        &"≤ 3 MiB",
    ]);
    Ok(())
}

async fn server() -> Result<SecretServer> {
    let server = SecretServer::start().await?;
    server.aws().trust(ROLE, "aws");
    for number in 0..10 {
        server.aws().put(&format!("secret-{number}"), "a value of some length, as they are");
        let data = json!({"value": "a value of some length, as they are"});
        server.vault().put(&format!("secret/secret-{number}"), data);
    }
    server.vault().trust("kubernetes", "web", "vault");
    Ok(server)
}

/// Ten references: half AWS, half Vault, or all Vault.
fn secrets(aws: bool) -> Vec<Value> {
    let reference = |number: usize| {
        if aws && number.is_multiple_of(2) {
            format!("aws-sm:secret-{number}")
        } else {
            format!("vault:secret/secret-{number}#value")
        }
    };
    (0..10)
        .map(|number| json!({"path": format!("file-{number}"), "from": reference(number)}))
        .collect()
}

fn config(folder: &Path, name: &str, server: &SecretServer, files: &[Value]) -> Result<PathBuf> {
    let (address, ca) = (server.url(), json!({"pem": server.ca_pem()}));
    let token = |name: &str| folder.join(name);
    let auth = json!({"kubernetes": {"role": "web", "token-file": token("vault-token")}});
    let config = json!({
        "version": 1, "directory": folder.join(name), "files": files, "refresh": {"interval": "5m"},
        "aws": {"region": "us-east-1", "identity": "irsa", "role-arn": ROLE, "token-file": token("aws-token"),
                "endpoint": address, "ca": ca},
        "vault": {"address": address, "ca": ca, "auth": auth},
    });
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, config.to_string())?;
    Ok(path)
}

fn times(
    binaries: &Binaries,
    folder: &Path,
    server: &SecretServer,
    files: &[Value],
    starts: usize,
) -> Result<Duration> {
    let mut times = Vec::new();
    for start in 0..starts {
        let name = format!("start-{start}-{}", files[0]["from"].as_str().map_or(0, str::len));
        let config = config(folder, &name, server, files)?;
        let started = Instant::now();
        let _agent = self::start(binaries, &config)?;
        wait(&folder.join(&name))?;
        times.push(started.elapsed());
    }
    Ok(median(times))
}

fn start(binaries: &Binaries, config: &Path) -> Result<Process> {
    let mut command = Command::new(&binaries.agent);
    command.arg("run").arg("--config").arg(config).env("HOME", home());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Ok(Process(child.context("cannot start the agent")?))
}

/// Waits for the last file of the first generation, without burning the server's processor.
fn wait(directory: &Path) -> Result<()> {
    let started = Instant::now();
    while !directory.join("file-9").exists() {
        ensure!(started.elapsed() < START, "no files in {}", directory.display());
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}
