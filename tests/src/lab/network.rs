//! The pods' bridge. It is made before anything else, because half of the parts listen on its address.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::{
    addresses::{BRIDGE_ADDRESS, HOST, POD_IDENTITY_HOST, POD_RANGE},
    folders,
    program::Program,
};

/// The bridge's name; an interface of this name is the lab's.
pub const BRIDGE: &str = "mayfly0";

/// The bridge's own hardware address. Without one it takes the lowest of its pods', and so another
/// one when a pod comes or goes: the others then send to nobody for some seconds.
const HARDWARE_ADDRESS: &str = "0a:58:0a:f4:00:01";

/// The chain of what pods may not send to this machine, which is nothing until a gatekeeper fills it.
pub const GATES: &str = "MAYFLY-LAB-GATES";

/// How the chain comes, and how it goes.
const GATES_COME: [&str; 2] = [
    "--new-chain MAYFLY-LAB-GATES",
    "--insert INPUT --in-interface mayfly0 --jump MAYFLY-LAB-GATES",
];
const GATES_GO: [&str; 3] = [
    "--delete INPUT --in-interface mayfly0 --jump MAYFLY-LAB-GATES",
    "--flush MAYFLY-LAB-GATES",
    "--delete-chain MAYFLY-LAB-GATES",
];

/// The name of the pods' network.
const NETWORK: &str = "mayfly-lab";

/// Whether this machine forwards packets, which the bridge's plugin switches on.
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// The same before the lab came, below the cluster's folder.
const FORWARDING_BEFORE: &str = "ip-forward-before";

/// The one chain that kube-proxy's own clean-up leaves to a kubelet.
const FIREWALL: [&str; 4] = [
    "--delete INPUT --jump KUBE-FIREWALL",
    "--delete OUTPUT --jump KUBE-FIREWALL",
    "--flush KUBE-FIREWALL",
    "--delete-chain KUBE-FIREWALL",
];

/// Makes the bridge and writes down how pods are joined to it.
pub async fn prepare(cluster: &Path) -> Result<()> {
    let values = [
        ("network", NETWORK),
        ("bridge", BRIDGE),
        ("range", POD_RANGE),
        ("gateway", HOST),
        ("cluster", &cluster.display().to_string()),
    ];
    folders::render("templates/cni.conflist", &values, &cluster.join("cni/10-lab.conflist"))?;
    fs::copy(FORWARDING, cluster.join(FORWARDING_BEFORE))
        .context("note whether this machine forwards")?;
    ip(&["link", "add", BRIDGE, "address", HARDWARE_ADDRESS, "type", "bridge"])
        .await
        .context("the lab makes a bridge: run it as root")?;
    ip(&["address", "add", BRIDGE_ADDRESS, "dev", BRIDGE]).await?;
    let node = format!("{POD_IDENTITY_HOST}/32");
    ip(&["address", "add", &node, "dev", BRIDGE]).await?;
    ip(&["link", "set", BRIDGE, "up"]).await?;
    for rule in GATES_COME {
        iptables(rule).text().await?;
    }
    Ok(())
}

/// Removes the bridge, if there is one, and what its plugin and kube-proxy have changed besides.
pub async fn remove(cluster: &Path) -> Result<()> {
    if Path::new("/sys/class/net").join(BRIDGE).exists() {
        ip(&["link", "delete", BRIDGE]).await?;
    }
    if let Ok(before) = fs::read(cluster.join(FORWARDING_BEFORE)) {
        fs::write(FORWARDING, before).context("let this machine forward as it did before")?;
    }
    for rule in GATES_GO.iter().chain(&FIREWALL) {
        // What is not there need not go.
        iptables(rule).output().await?;
    }
    Ok(())
}

fn iptables(rule: &str) -> Program {
    Program::new("iptables").args(["--wait", "10"]).args(rule.split(' '))
}

async fn ip(arguments: &[&str]) -> Result<()> {
    Program::new("ip").args(arguments).text().await.map(drop)
}
