//! Another webhook beside ours, before or after, rewrites whole lists of containers, or takes away what is ours: the
//! pod still has its agent complete, or is refused.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, suite::Case},
};
use serde_json::{Value, json};

use crate::{
    manifest::{SLEEP, container},
    neighbour::{Neighbour, Turn},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        one_before_that_rewrites_all_containers,
        one_after_that_rewrites_all_containers,
        one_after_all_that_rewrites_all_containers,
        one_after_that_strips_the_restart_policy,
        one_after_that_strips_the_gate,
        one_after_that_removes_the_apps_mount,
        one_after_that_removes_the_agents_mount,
        one_after_that_removes_all_of_the_agents_mounts,
        one_after_that_removes_the_agent,
        one_that_insists_on_stripping_the_restart_policy,
        one_that_insists_on_stripping_the_gate,
        one_that_insists_on_removing_the_apps_mount,
        one_that_insists_on_removing_the_agents_mounts,
        one_that_insists_on_removing_the_agent,
    ]
}

async fn one_before_that_rewrites_all_containers(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::Before, add_containers).await
}

async fn one_after_that_rewrites_all_containers(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::After, add_containers).await
}

async fn one_after_all_that_rewrites_all_containers(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::AfterAll, add_containers).await
}

async fn one_after_that_strips_the_restart_policy(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::After, strip_restart_policy).await
}

async fn one_after_that_strips_the_gate(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::After, strip_gate).await
}

async fn one_after_that_removes_the_apps_mount(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::After, remove_apps_mount).await
}

async fn one_after_that_removes_the_agents_mount(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::After, remove_agents_mount).await
}

/// The API server gives the agent a token as soon as nothing lies in its place; it does not stay there.
async fn one_after_that_removes_all_of_the_agents_mounts(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::After, remove_agents_mounts).await
}

async fn one_after_that_removes_the_agent(cluster: &Cluster) -> Result<()> {
    the_agent_is_complete(cluster, Turn::After, remove_agent).await
}

async fn one_that_insists_on_stripping_the_restart_policy(cluster: &Cluster) -> Result<()> {
    the_pod_is_refused(cluster, Turn::AfterAll, strip_restart_policy).await
}

async fn one_that_insists_on_stripping_the_gate(cluster: &Cluster) -> Result<()> {
    the_pod_is_refused(cluster, Turn::AfterAll, strip_gate).await
}

async fn one_that_insists_on_removing_the_apps_mount(cluster: &Cluster) -> Result<()> {
    the_pod_is_refused(cluster, Turn::AfterAll, remove_apps_mount).await
}

async fn one_that_insists_on_removing_the_agents_mounts(cluster: &Cluster) -> Result<()> {
    the_pod_is_refused(cluster, Turn::AfterAll, remove_agents_mounts).await
}

async fn one_that_insists_on_removing_the_agent(cluster: &Cluster) -> Result<()> {
    the_pod_is_refused(cluster, Turn::AfterAll, remove_agent).await
}

async fn the_agent_is_complete(
    cluster: &Cluster,
    turn: Turn,
    change: fn(&mut Value),
) -> Result<()> {
    let tenant = Tenant::new(cluster, "webhooks").await?;
    let value = tenant.put("app").await?;
    let _neighbour = Neighbour::of(&tenant, turn, change).await?;
    let pod = tenant.run(&tenant.vault_pod("web")).await?;
    let seen = pod.file_in("app", "/run/mayfly/value").await?;
    ensure!(seen == value, "the file holds {seen:?}");
    let spec = pod.json().await?["spec"].take();
    let mut inits = spec["initContainers"].as_array().context("init containers")?.iter();
    let agent = inits.find(|container| container["name"] == "mayfly-agent").context("the agent")?;
    ensure!(
        agent["restartPolicy"] == "Always"
            && agent["lifecycle"]["postStart"].is_object()
            && mounts(agent, "mayfly-secrets")
            && mounts(agent, "mayfly-state")
            && mounts(agent, "mayfly-identity"),
        "the agent is {agent}"
    );
    Ok(())
}

/// After all: whatever Mayfly puts right is taken away again, so only the last word is left.
async fn the_pod_is_refused(cluster: &Cluster, turn: Turn, change: fn(&mut Value)) -> Result<()> {
    let tenant = Tenant::new(cluster, "webhooks").await?;
    tenant.put("app").await?;
    let _neighbour = Neighbour::of(&tenant, turn, change).await?;
    let told = tenant.namespace.refusal(&tenant.vault_pod("web").to_string()).await?;
    ensure!(told.contains("mayfly-agent"), "the refusal is {told:?}");
    Ok(())
}

fn mounts(container: &Value, volume: &str) -> bool {
    let mut mounts = container["volumeMounts"].as_array().into_iter().flatten();
    mounts.any(|mount| mount["name"] == volume)
}

/// The containers of both lists.
pub(crate) fn containers(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    let lists = spec.as_object_mut().into_iter().flatten();
    let lists = lists.filter(|(list, _)| ["containers", "initContainers"].contains(&list.as_str()));
    lists.filter_map(|(_, list)| list.as_array_mut()).flatten()
}

fn agent(spec: &mut Value) -> Option<&mut Value> {
    containers(spec).find(|container| container["name"] == "mayfly-agent")
}

/// A sidecar before all init containers, a container before all others; once.
fn add_containers(spec: &mut Value) {
    if containers(spec).any(|container| container["name"] == "proxy") {
        return;
    }
    let mut proxy = container("proxy", SLEEP);
    proxy["restartPolicy"] = json!("Always");
    for (list, container) in [("initContainers", proxy), ("containers", container("beside", SLEEP))]
    {
        let others = spec[list].take();
        let others = others.as_array().into_iter().flatten().cloned();
        spec[list] = std::iter::once(container).chain(others).collect();
    }
}

fn strip_restart_policy(spec: &mut Value) {
    if let Some(agent) = agent(spec).and_then(Value::as_object_mut) {
        agent.remove("restartPolicy");
        // The API server takes no hook in an init container that ends.
        agent.remove("lifecycle");
    }
}

fn strip_gate(spec: &mut Value) {
    if let Some(agent) = agent(spec).and_then(Value::as_object_mut) {
        agent.remove("lifecycle");
    }
}

fn remove_apps_mount(spec: &mut Value) {
    if let Some(app) = containers(spec).find(|container| container["name"] == "app") {
        unmount(app, |name| name == "mayfly-secrets");
    }
}

fn remove_agents_mount(spec: &mut Value) {
    if let Some(agent) = agent(spec) {
        unmount(agent, |name| name == "mayfly-secrets");
    }
}

fn remove_agents_mounts(spec: &mut Value) {
    if let Some(agent) = agent(spec) {
        unmount(agent, |name| name.starts_with("mayfly-"));
    }
}

fn unmount(container: &mut Value, chosen: impl Fn(&str) -> bool) {
    if let Some(mounts) = container["volumeMounts"].as_array_mut() {
        mounts.retain(|mount| !mount["name"].as_str().is_some_and(&chosen));
    }
}

fn remove_agent(spec: &mut Value) {
    if let Some(list) = spec["initContainers"].as_array_mut() {
        list.retain(|container| container["name"] != "mayfly-agent");
    }
}
