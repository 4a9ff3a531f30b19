//! A network that lets a pod through only when the API server tells the pod's IP, as network policies do that are
//! enforced by what the API server says of pods.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{
    condition::{PATIENCE, eventually},
    network::GATES,
    pod::Pod,
};

/// Drops everything that is sent to one address, but from pods that it knows.
#[derive(Debug)]
pub struct Gatekeeper {
    rules: Vec<Vec<String>>,
}

impl Gatekeeper {
    /// Begins to guard an address.
    pub fn guard(address: SocketAddr) -> Result<Self> {
        let mut keeper = Self { rules: vec![] };
        keeper.add("--append", to(address).chain(words(["--jump", "DROP"])).collect())?;
        Ok(keeper)
    }

    /// Waits until the API server tells the pod's IP, and lets the pod through to the address.
    pub async fn let_in(&mut self, pod: &Pod, address: SocketAddr) -> Result<()> {
        let told = || async {
            let pod = pod.json().await?;
            let address = pod["status"]["podIP"].as_str().map(str::to_owned);
            address.context("the pod has no IP yet")
        };
        let ip = eventually("the pod's IP", PATIENCE, told).await?;
        let rule = words(["--source", &ip]).chain(to(address)).chain(words(["--jump", "ACCEPT"]));
        self.add("--insert", rule.collect())
    }

    fn add(&mut self, how: &str, rule: Vec<String>) -> Result<()> {
        ensure!(iptables(how, &rule), "iptables does not take {rule:?}");
        self.rules.push(rule);
        Ok(())
    }
}

impl Drop for Gatekeeper {
    fn drop(&mut self) {
        for rule in &self.rules {
            // What stays is swept away with the bridge.
            iptables("--delete", rule);
        }
    }
}

fn to(address: SocketAddr) -> impl Iterator<Item = String> {
    let port = address.port().to_string();
    words(["--protocol", "tcp", "--destination", &address.ip().to_string(), "--dport", &port])
        .collect::<Vec<_>>()
        .into_iter()
}

fn words<const N: usize>(words: [&str; N]) -> impl Iterator<Item = String> {
    words.map(str::to_owned).into_iter()
}

/// It takes milliseconds, so that it may be waited for wherever a test ends.
fn iptables(how: &str, rule: &[String]) -> bool {
    let mut iptables = Command::new("iptables");
    iptables.args(["--wait", "10", how, GATES]).args(rule);
    iptables.stdout(Stdio::null()).stderr(Stdio::null());
    iptables.status().is_ok_and(|status| status.success())
}
