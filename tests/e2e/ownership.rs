//! Whose files they are: the chosen containers' user, or their group, or everybody in the pod; and nobody else's.

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{cluster::Cluster, pod::Pod, suite::Case},
};
use serde_json::{Value, json};

use crate::{
    manifest::{Manifest, SLEEP, container},
    tenant::Tenant,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        one_user_reads_alone,
        one_user_of_the_whole_pod_reads_alone_whatever_its_group,
        users_of_one_fs_group_read_by_their_group,
        different_users_without_a_group_all_read,
        a_root_app_reads_without_any_capability,
        a_root_app_with_an_fs_group_reads_by_its_group,
        an_explicit_mode_wins,
        an_explicit_group_mode_is_the_fs_groups,
        a_dangerous_mode_is_refused,
    ]
}

/// Permissions, user and group, as `stat` prints them.
async fn ownership(pod: &Pod, container: &str, path: &str) -> Result<String> {
    let stat = ["stat", "-L", "-c", "%a %u %g", path];
    Ok(pod.exec_in(container, &stat).await?.trim().to_owned())
}

/// The file's ownership is `owned`, and each of these containers can read it.
async fn read_by(pod: &Pod, owned: &str, value: &str, containers: &[&str]) -> Result<()> {
    for container in containers {
        let seen = ownership(pod, container, "/run/mayfly/value").await?;
        ensure!(seen == owned, "{container} sees a file that is {seen:?}, not {owned:?}");
        let read = pod.file_in(container, "/run/mayfly/value").await?;
        ensure!(read == value, "{container} reads {read:?}");
    }
    Ok(())
}

async fn not_read_by(pod: &Pod, container: &str, path: &str) -> Result<()> {
    let told = pod.file_in(container, path).await.err().context("it can be read")?.to_string();
    ensure!(told.contains("Permission denied"), "{container} hears {told:?} of {path}");
    Ok(())
}

/// A container of another user, which was not chosen and has mounted the files by its own hand.
fn intruder(user: u32) -> Value {
    let mut intruder = container("intruder", SLEEP);
    intruder["securityContext"] = json!({"runAsUser": user, "runAsGroup": user});
    intruder["volumeMounts"] =
        json!([{"name": "mayfly-secrets", "mountPath": "/stolen", "readOnly": true}]);
    intruder
}

/// `app` and, beside it, `other`, each with its own user.
fn two_users(tenant: &Tenant<'_>, [app, other]: [u32; 2]) -> Manifest {
    let mut beside = container("other", SLEEP);
    beside["securityContext"] = json!({"runAsUser": other});
    tenant.vault_pod("web").app("securityContext", json!({"runAsUser": app})).and(beside)
}

async fn one_user_reads_alone(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "owner").await?;
    let value = tenant.put("app").await?;
    let manifest = tenant
        .vault_pod("web")
        .annotate("containers", "app")
        .app("securityContext", json!({"runAsUser": 1000}))
        .and(intruder(2000));
    let pod = tenant.run(&manifest).await?;
    read_by(&pod, "400 1000 65532", &value, &["app"]).await?;
    not_read_by(&pod, "intruder", "/stolen/value").await
}

async fn one_user_of_the_whole_pod_reads_alone_whatever_its_group(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "owner").await?;
    let value = tenant.put("app").await?;
    let manifest = tenant
        .vault_pod("web")
        .annotate("containers", "app,other")
        .spec("securityContext", json!({"runAsUser": 1000, "runAsGroup": 5000}))
        .and(container("other", SLEEP))
        .and(intruder(5000));
    let pod = tenant.run(&manifest).await?;
    read_by(&pod, "400 1000 65532", &value, &["app", "other"]).await?;
    not_read_by(&pod, "intruder", "/stolen/value").await
}

async fn users_of_one_fs_group_read_by_their_group(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "group").await?;
    let value = tenant.put("app").await?;
    let manifest =
        two_users(&tenant, [1000, 2000]).spec("securityContext", json!({"fsGroup": 3000}));
    let pod = tenant.run(&manifest).await?;
    read_by(&pod, "440 65532 3000", &value, &["app", "other"]).await
}

async fn different_users_without_a_group_all_read(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "users").await?;
    let value = tenant.put("app").await?;
    let pod = tenant.run(&two_users(&tenant, [1000, 2000])).await?;
    read_by(&pod, "444 65532 65532", &value, &["app", "other"]).await
}

/// The agent is never root, so its user is another than the app's.
async fn a_root_app_reads_without_any_capability(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "root").await?;
    let value = tenant.put("app").await?;
    let context = json!({"runAsUser": 0, "capabilities": {"drop": ["ALL"]}});
    let pod = tenant.run(&tenant.vault_pod("web").app("securityContext", context)).await?;
    read_by(&pod, "444 65532 65532", &value, &["app"]).await
}

async fn a_root_app_with_an_fs_group_reads_by_its_group(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "root-group").await?;
    let value = tenant.put("app").await?;
    let manifest = tenant
        .vault_pod("web")
        .spec("securityContext", json!({"fsGroup": 3000}))
        .app("securityContext", json!({"runAsUser": 0, "capabilities": {"drop": ["ALL"]}}));
    let pod = tenant.run(&manifest).await?;
    read_by(&pod, "440 65532 3000", &value, &["app"]).await
}

/// A pod whose `app` is user 1000, with a file for each mode, named by it.
fn with_modes(tenant: &Tenant<'_>, modes: &[&str]) -> Manifest {
    let from = format!("vault:{}#value", tenant.path("app"));
    let entry = |mode: &&str| json!({"path": format!("file-{mode}"), "from": from, "mode": mode});
    let entries: Vec<Value> = modes.iter().map(entry).collect();
    tenant
        .asking("web")
        .annotate("containers", "app")
        .annotate("files", &json!(entries).to_string())
        .app("securityContext", json!({"runAsUser": 1000}))
}

async fn an_explicit_mode_wins(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "modes").await?;
    let value = tenant.put("app").await?;
    let manifest = with_modes(&tenant, &["0400", "0440", "0444", "0640"]).and(intruder(2000));
    let pod = tenant.run(&manifest).await?;
    for mode in ["0400", "0440", "0444", "0640"] {
        let path = format!("/run/mayfly/file-{mode}");
        let owned = ownership(&pod, "app", &path).await?;
        ensure!(owned == format!("{} 1000 65532", &mode[1..]), "{path} is {owned:?}");
        ensure!(pod.file(&path).await? == value);
    }
    for mode in ["0400", "0440", "0640"] {
        not_read_by(&pod, "intruder", &format!("/stolen/file-{mode}")).await?;
    }
    ensure!(pod.file_in("intruder", "/stolen/file-0444").await? == value);
    Ok(())
}

/// Whoever says 0440 and has an `fsGroup` means that group.
async fn an_explicit_group_mode_is_the_fs_groups(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "modes").await?;
    let value = tenant.put("app").await?;
    let manifest = with_modes(&tenant, &["0440", "0400"])
        .spec("securityContext", json!({"fsGroup": 3000}))
        .and(intruder(2000));
    let pod = tenant.run(&manifest).await?;
    let owned = ownership(&pod, "app", "/run/mayfly/file-0440").await?;
    ensure!(owned == "440 1000 3000", "the file is {owned:?}");
    ensure!(pod.file_in("intruder", "/stolen/file-0440").await? == value);
    not_read_by(&pod, "intruder", "/stolen/file-0400").await
}

async fn a_dangerous_mode_is_refused(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "modes").await?;
    let modes = ["4755", "0666", "0040", "rw"];
    let told = tenant.namespace.refusal(&with_modes(&tenant, &modes).to_string()).await?;
    for word in ["4755", "setuid", "0666", "everybody write", "0040", "owner read", "rw"] {
        ensure!(told.contains(word), "{word:?} is not in {told:?}");
    }
    Ok(())
}
