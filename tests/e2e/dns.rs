//! Backends by their names, as a pod's `resolv.conf` has them looked for: search domains, five dots, one name server. The
//! agent's image is a static program on an empty filesystem, so the names are resolved by what is linked into it.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        addresses::{HOST, POD_IDENTITY_HOST, VAULT_BY_NAME, VAULT_NAMES},
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        line::Line,
        pod::Pod,
        program::Program,
        suite::Case,
    },
};
use serde_json::json;

use crate::{
    host::{self, process},
    tenant::{Tenant, status},
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        vault_and_aws_are_found_by_their_names,
        an_address_that_changes_is_looked_up_again,
        a_name_that_stops_resolving_is_told_and_the_files_stay,
        a_name_of_the_pods_own_hosts_file_is_found,
        an_ipv6_address_that_nobody_answers_does_not_hold_the_start_back,
    ]
}

const MOVING: &str = VAULT_NAMES[0];
const VANISHING: &str = VAULT_NAMES[1];
const LISTED: &str = VAULT_NAMES[2];
const BOTH: &str = VAULT_NAMES[3];

/// The name in a URL, without its port.
fn name(url: &str) -> Result<&str> {
    let rest = url.strip_prefix("https://").and_then(|rest| rest.split_once(':'));
    rest.map(|(name, _)| name).with_context(|| format!("{url} has no name and port"))
}

/// Another address of this machine than the bridge's, with the port of a URL.
fn elsewhere(url: &str) -> Result<SocketAddr> {
    let (_, port) = url.rsplit_once(':').with_context(|| format!("{url} has no port"))?;
    format!("{POD_IDENTITY_HOST}:{port}").parse().context("an address")
}

async fn vault_and_aws_are_found_by_their_names(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "dns").await?;
    let (ours, theirs) = (tenant.put("app").await?, tenant.create("db").await?);
    let manifest = tenant
        .vault_pod("web")
        .annotate("vault-address", VAULT_BY_NAME)
        .annotate("aws-role-arn", &tenant.role)
        .annotate("file.db", &format!("aws-sm:{}", tenant.id("db")));
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/value").await? == ours);
    ensure!(pod.file("/run/mayfly/db").await? == theirs);
    let resolver = pod.file("/etc/resolv.conf").await?;
    let search = format!(
        "search {0}.svc.cluster.local svc.cluster.local cluster.local",
        tenant.namespace.name()
    );
    for line in [&*search, &format!("nameserver {HOST}"), "options ndots:5"] {
        ensure!(resolver.lines().any(|told| told == line), "{line:?} is not in {resolver:?}");
    }
    Ok(())
}

async fn an_address_that_changes_is_looked_up_again(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "dns-moving").await?;
    let before = tenant.put("app").await?;
    let old = Line::to_vault_from(elsewhere(MOVING)?).await?;
    let new = format!("{HOST}:{}", old.address().port()).parse()?;
    cluster.names().set(name(MOVING)?, &[POD_IDENTITY_HOST])?;
    let pod = tenant.run(&tenant.vault_pod("web").annotate("vault-address", MOVING)).await?;
    ensure!(pod.file("/run/mayfly/value").await? == before);
    let _new = Line::to_vault_from(new).await?;
    cluster.names().set(name(MOVING)?, &[HOST])?;
    old.cut().await;
    has(&pod, &tenant.put("app").await?).await?;
    ensure!(host::restarts(&pod, "mayfly-agent").await? == 0, "the agent was started again");
    cluster.names().remove(name(MOVING)?)
}

async fn a_name_that_stops_resolving_is_told_and_the_files_stay(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "dns-vanishing").await?;
    let before = tenant.put("app").await?;
    let line = Line::to_vault_from(elsewhere(VANISHING)?).await?;
    cluster.names().set(name(VANISHING)?, &[POD_IDENTITY_HOST])?;
    let pod = tenant.run(&tenant.vault_pod("web").annotate("vault-address", VANISHING)).await?;
    cluster.names().remove(name(VANISHING)?)?;
    // A connection that is there needs no name.
    line.mend().await?;
    let told = || async {
        let status = status(&pod).await?;
        let error = status["error"].to_string();
        let is_told = error.contains("unreachable") && error.contains(name(VANISHING)?);
        ensure!(status["state"] == "stale" && is_told, "the status is {status}");
        Ok(())
    };
    eventually("the name to be told", PATIENCE, told).await?;
    ensure!(pod.file("/run/mayfly/value").await? == before, "the file has changed");
    cluster.names().set(name(VANISHING)?, &[POD_IDENTITY_HOST])?;
    has(&pod, &tenant.put("app").await?).await?;
    cluster.names().remove(name(VANISHING)?)
}

async fn a_name_of_the_pods_own_hosts_file_is_found(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "dns-listed").await?;
    let value = tenant.put("app").await?;
    let listed = json!([{"ip": HOST, "hostnames": [name(LISTED)?]}]);
    let manifest =
        tenant.vault_pod("web").annotate("vault-address", LISTED).spec("hostAliases", listed);
    let pod = tenant.run(&manifest).await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    Ok(())
}

/// An address on the pod's own link, which comes first because the pod has one of the same network; nobody has it.
const NOBODY: &str = "fd00:10:244::dead";

async fn an_ipv6_address_that_nobody_answers_does_not_hold_the_start_back(
    cluster: &Cluster,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "dns-both").await?;
    let value = tenant.put("app").await?;
    // It waits for the name until its network has what IPv6 needs; with a probe, its process can be found.
    let manifest = tenant
        .vault_pod("web")
        .annotate("vault-address", BOTH)
        .annotate("gate", "probe")
        .annotate("start-deadline", "2m");
    let pod = tenant.namespace.apply(&manifest.to_string()).await?;
    let agent = || async { process(cluster, &pod, "mayfly-agent").await };
    let agent = eventually("the agent to run", PATIENCE, agent).await?;
    let add = ["ip", "-6", "address", "add", "fd00:10:244::2/64", "dev", "eth0", "nodad"];
    Program::new("nsenter")
        .args([format!("--target={}", agent.as_raw_nonzero()), "--net".to_owned()])
        .args(add)
        .text()
        .await?;
    cluster.names().set(name(BOTH)?, &[NOBODY, HOST])?;
    pod.running().await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    ensure!(host::restarts(&pod, "mayfly-agent").await? == 0, "the agent was started again");
    let sorted = pod
        .exec(&["nslookup", &format!("{}.cluster.local", name(BOTH)?)])
        .await
        .unwrap_or_else(|error| error.to_string());
    ensure!(sorted.contains(NOBODY), "the pod is not told of the IPv6 address: {sorted}");
    cluster.names().remove(name(BOTH)?)
}

/// Waits until the file `value` is `expected`.
async fn has(pod: &Pod, expected: &str) -> Result<()> {
    let changed = || async {
        let value = pod.file("/run/mayfly/value").await?;
        ensure!(value == expected, "the file is still the old one");
        Ok(())
    };
    eventually("the new value", PATIENCE, changed).await
}
