//! Pods in company: without a token, behind a mesh, on the host's network, with shared processes, of a later version.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{addresses::HOST, cluster::Cluster, pod::Pod, suite::Case},
};
use serde_json::{Value, json};

use crate::{
    manifest::{Manifest, SLEEP, container},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_pod_without_an_api_token_has_its_files,
        the_agent_comes_after_the_mesh_that_it_must_talk_through,
        a_pod_on_the_hosts_network_has_its_files,
        shared_processes_of_the_same_user_cannot_look_into_the_agent,
        shared_processes_of_root_cannot_look_into_the_agent,
        fields_that_the_api_server_does_not_know_do_no_harm,
        everything_in_the_pod_stays,
    ]
}

async fn has_its_files(tenant: &Tenant<'_>, manifest: &Manifest, value: &str) -> Result<Pod> {
    let pod = tenant.run(manifest).await?;
    let seen = pod.file("/run/mayfly/value").await?;
    ensure!(seen == value, "the file holds {seen:?}");
    Ok(pod)
}

async fn a_pod_without_an_api_token_has_its_files(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "no-token").await?;
    let value = tenant.put("app").await?;
    let manifest = tenant.vault_pod("web").spec("automountServiceAccountToken", json!(false));
    let pod = has_its_files(&tenant, &manifest, &value).await?;
    let token = pod.file("/var/run/secrets/kubernetes.io/serviceaccount/token").await;
    ensure!(token.is_err(), "the app has a token that its author did not want");
    Ok(())
}

/// As a mesh does it: an init container takes the way to the network, and the proxy alone opens it again.
async fn the_agent_comes_after_the_mesh_that_it_must_talk_through(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "mesh").await?;
    let value = tenant.put("app").await?;
    let network = json!({"capabilities": {"add": ["NET_ADMIN"]}});
    let mut taker = container("linkerd-init", &format!("ip route add unreachable {HOST}/32"));
    taker["securityContext"] = network.clone();
    let open = format!("ip route del unreachable {HOST}/32; touch /tmp/open; {SLEEP}");
    let mut proxy = container("linkerd-proxy", &open);
    proxy["securityContext"] = network;
    proxy["restartPolicy"] = json!("Always");
    proxy["startupProbe"] =
        json!({"exec": {"command": ["test", "-e", "/tmp/open"]}, "periodSeconds": 1});
    let manifest = tenant
        .vault_pod("web")
        .init(taker)
        .init(proxy)
        .init(container("early", "test -s /run/mayfly/value"));
    let pod = has_its_files(&tenant, &manifest, &value).await?.json().await?;
    let order = names(&pod["spec"]["initContainers"])?;
    ensure!(
        order == ["linkerd-init", "linkerd-proxy", "mayfly-agent", "early"],
        "the order is {order:?}"
    );
    let proxy = &pod["spec"]["initContainers"][1]["volumeMounts"];
    ensure!(!proxy.to_string().contains("mayfly"), "the proxy sees the files: {proxy}");
    Ok(())
}

async fn a_pod_on_the_hosts_network_has_its_files(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "host-network").await?;
    let value = tenant.put("app").await?;
    let manifest = tenant.vault_pod("web").spec("hostNetwork", json!(true));
    has_its_files(&tenant, &manifest, &value).await.map(drop)
}

async fn shared_processes_of_the_same_user_cannot_look_into_the_agent(
    cluster: &Cluster,
) -> Result<()> {
    cannot_look_into_the_agent(cluster, 1000).await
}

async fn shared_processes_of_root_cannot_look_into_the_agent(cluster: &Cluster) -> Result<()> {
    cannot_look_into_the_agent(cluster, 0).await
}

async fn cannot_look_into_the_agent(cluster: &Cluster, user: u32) -> Result<()> {
    let tenant = Tenant::new(cluster, "shared").await?;
    let value = tenant.put("app").await?;
    let manifest = tenant
        .vault_pod("web")
        .spec("shareProcessNamespace", json!(true))
        .spec("securityContext", json!({"runAsUser": user}))
        .and(container("other", "trap exit TERM; nc -l -p 9999 & wait"));
    let answer = tenant.namespace.submit(&manifest.to_string()).await?;
    ensure!(answer.said.contains("Warning: mayfly: shareProcessNamespace"), "{}", answer.said);
    let pod = tenant.namespace.pod("web");
    pod.running().await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    let open = what_is_open(&pod, "nc").await?;
    ensure!(
        open.contains("environ") && open.contains("root"),
        "of a neighbour only {open:?} is open"
    );
    let open = what_is_open(&pod, "mayfly-agent").await?;
    ensure!(open.is_empty(), "of the agent {open:?} is open");
    Ok(())
}

/// What the app can read of another container's process. That root may count its open files tells it nothing.
async fn what_is_open(pod: &Pod, process: &str) -> Result<String> {
    let look = format!(
        "for pid in $(pidof {process}); do cd /proc/$pid || exit 1; found=yes
            for it in environ mem maps auxv; do (cat $it | head -c 1 | grep -q .) 2>/dev/null && echo $it; done
            for it in root cwd map_files; do test -n \"$(ls $it/ 2>/dev/null)\" && echo $it; done
            for it in exe fd/*; do readlink $it >/dev/null && echo $it; done
        done; test $found"
    );
    pod.exec(&["sh", "-c", &look]).await.context("there is no such process")
}

async fn fields_that_the_api_server_does_not_know_do_no_harm(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "later").await?;
    let value = tenant.put("app").await?;
    let manifest = tenant
        .vault_pod("web")
        .spec("laterField", json!({"deep": [1, 2.5, {"x": null}]}))
        .app("laterOption", json!(["a", "b"]));
    let answer = tenant.namespace.submit_with(&manifest.to_string(), &["--validate=warn"]).await?;
    ensure!(answer.accepted, "the pod is refused: {}", answer.said);
    for field in ["spec.laterField", "spec.containers[0].laterOption"] {
        ensure!(answer.said.contains(field), "no word of {field} in {:?}", answer.said);
    }
    let pod = tenant.namespace.pod("web");
    pod.running().await?;
    ensure!(pod.file("/run/mayfly/value").await? == value);
    Ok(())
}

/// Seldom used fields, and new ones: what is not ours is the same with and without us.
async fn everything_in_the_pod_stays(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "stays").await?;
    let rich = |manifest: Manifest| {
        manifest
            .spec("automountServiceAccountToken", json!(false))
            .spec("resources", json!({"limits": {"cpu": "1", "memory": "1Gi"}}))
            .spec("hostAliases", json!([{"ip": "192.0.2.1", "hostnames": ["b", "a"]}]))
            .spec("dnsConfig", json!({"options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]}))
            .spec("readinessGates", json!([{"conditionType": "example.com/gate"}]))
            .spec("schedulingGates", json!([{"name": "example.com/gate"}]))
            .spec("topologySpreadConstraints", json!([{"maxSkew": 1, "topologyKey": "zone",
                "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}, "matchLabelKeys": ["pod-template-hash"]}]))
            .spec("volumes", json!([{"name": "info", "downwardAPI": {"items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]))
            .app("volumeMounts", json!([{"name": "info", "mountPath": "/info", "recursiveReadOnly": "Disabled", "readOnly": true}]))
            .app("resizePolicy", json!([{"resourceName": "cpu", "restartPolicy": "NotRequired"}]))
            .app("lifecycle", json!({"stopSignal": "SIGUSR1", "preStop": {"sleep": {"seconds": 1}}}))
            .app("env", json!([{"name": "B", "value": "$(A)"}, {"name": "A", "value": "$$(B)"}]))
            .spec("os", json!({"name": "linux"}))
    };
    let plain = tenant.namespace.rehearse(&rich(Manifest::plain("web")).to_string()).await?;
    let asking = tenant.namespace.rehearse(&rich(tenant.vault_pod("web")).to_string()).await?;
    let (plain, left) = (&plain["spec"], without_ours(asking["spec"].clone()));
    for (field, value) in plain.as_object().context("a spec")? {
        ensure!(left[field] == *value, "{field} was {value} and is {}", left[field]);
    }
    Ok(())
}

/// A pod's `spec` without what Mayfly has added.
fn without_ours(mut spec: Value) -> Value {
    let ours = |item: &Value| item["name"].as_str().is_some_and(|name| name.starts_with("mayfly-"));
    let strip = |list: &mut Value| {
        if let Some(list) = list.as_array_mut() {
            list.retain(|item| !ours(item));
        }
    };
    for list in ["volumes", "containers", "initContainers"] {
        strip(&mut spec[list]);
    }
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        strip(&mut container["volumeMounts"]);
    }
    spec
}

fn names(list: &Value) -> Result<Vec<&str>> {
    let list = list.as_array().context("a list")?;
    Ok(list.iter().filter_map(|item| item["name"].as_str()).collect())
}
