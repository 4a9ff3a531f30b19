//! The parts that Debian packages. Nothing is asked of the network when all of them are there.

use anyhow::{Context, Result};

use crate::lab::{program::Program, progress::say};

/// What the lab uses, and why.
const PACKAGES: [&str; 12] = [
    "buildah",                     // images from Dockerfiles, without an engine
    "busybox-static",              // the test image
    "chromium",                    // opens the audit's page
    "containerd",                  // runs the containers
    "containernetworking-plugins", // gives pods their network
    "dnsmasq-base",                // the cluster's name server
    "etcd-server",                 // the API server's database
    "iproute2",                    // the bridge
    "iptables",                    // services' addresses, by kube-proxy
    "jq",                          // what the README does with Vault's audit log
    "postgresql",                  // what Vault makes credentials for
    "runc",                        // makes the containers
];

/// Installs the packages that are missing.
pub async fn install() -> Result<()> {
    install_all(&PACKAGES).await
}

/// Installs those of `packages` that are missing.
pub(super) async fn install_all(packages: &[&'static str]) -> Result<()> {
    let missing = missing(packages).await?;
    if missing.is_empty() {
        return Ok(());
    }
    say(format_args!("Debian packages: installing {}", missing.join(" ")));
    apt(["update", "--quiet"].map(Into::into).to_vec()).await?;
    let mut arguments =
        ["install", "--yes", "--quiet", "--no-install-recommends"].map(String::from).to_vec();
    arguments.extend(missing);
    apt(arguments).await
}

async fn missing(packages: &[&'static str]) -> Result<Vec<String>> {
    let format = "--showformat=${db:Status-Abbrev}${Package}\\n";
    // It fails when it knows nothing of a package, and still lists the others.
    let output = Program::new("dpkg-query")
        .args(["--show", format])
        .args(packages.iter().copied())
        .output()
        .await;
    let output = output.context("the lab installs its parts with apt: it needs a Debian")?;
    let listing = String::from_utf8_lossy(&output.stdout).into_owned();
    let installed: Vec<&str> =
        listing.lines().filter_map(|line| line.strip_prefix("ii ")).collect();
    let is_missing = |package: &&&str| !installed.contains(*package);
    Ok(packages.iter().filter(is_missing).map(|package| (*package).to_owned()).collect())
}

async fn apt(arguments: Vec<String>) -> Result<()> {
    Program::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").show().await
}
