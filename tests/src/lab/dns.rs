//! The cluster's name server: pods find it in their `resolv.conf`, and tests change what it knows while pods ask it.

use std::fs;

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{
    addresses::{AWS_NAME, HOST, VAULT_NAME},
    folders,
    launch::Lab,
    program::Program,
};

/// The domain that the kubelet tells pods to search in.
pub const DOMAIN: &str = "cluster.local";

/// The server's name among the daemons.
const DAEMON: &str = "dnsmasq";

/// The folder of the names, below the cluster's; a file for each.
const NAMES: &str = "names";

/// Starts it with the names that are always there. It forwards nothing: what it does not know does not exist.
pub fn start(lab: &Lab) -> Result<()> {
    for name in [AWS_NAME, VAULT_NAME] {
        write(lab, name, &[HOST])?;
    }
    let names = lab.folders.cluster().join(NAMES);
    let dnsmasq = Program::new("dnsmasq")
        .args(["--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--local=/#/"])
        .args([format!("--addn-hosts={}", names.display())])
        .args([format!("--listen-address={HOST}"), "--bind-interfaces".to_owned()])
        .args(["--keep-in-foreground", "--log-facility=-", "--user=root", "--pid-file="]);
    lab.daemons.start(DAEMON, &dnsmasq)
}

/// The names, as their administrator sees them.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a>(&'a Lab);

impl<'a> Names<'a> {
    /// The names of a running lab.
    pub fn of(lab: &'a Lab) -> Self {
        Self(lab)
    }

    /// Gives a name, without the cluster's domain, these addresses and no others.
    pub fn set(self, name: &str, addresses: &[&str]) -> Result<()> {
        write(self.0, name, addresses)?;
        self.read_again()
    }

    /// Takes a name away.
    pub fn remove(self, name: &str) -> Result<()> {
        let file = self.0.folders.cluster().join(NAMES).join(name);
        fs::remove_file(file).with_context(|| format!("take the name {name} away"))?;
        self.read_again()
    }

    fn read_again(self) -> Result<()> {
        self.0.daemons.signal(DAEMON, Signal::HUP)
    }
}

/// By one rename, because the server may be reading.
fn write(lab: &Lab, name: &str, addresses: &[&str]) -> Result<()> {
    let names = lab.folders.cluster().join(NAMES);
    let lines = addresses.iter().map(|address| format!("{address} {name}.{DOMAIN}\n"));
    // Files that begin with a dot are not read.
    let unfinished = names.join(format!(".{name}"));
    folders::write(&unfinished, lines.collect::<String>())?;
    fs::rename(unfinished, names.join(name)).with_context(|| format!("name {name}"))
}
