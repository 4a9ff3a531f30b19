//! Hostile hands on the volume: from a container, and from the node as root and as the agent's own user.
#![expect(clippy::disallowed_methods, reason = "hostile hands on the volume are played with files")]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, lchown, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use mayfly_tests::{
    cases,
    lab::{
        cluster::Cluster,
        condition::{PATIENCE, eventually},
        pod::Pod,
        suite::Case,
    },
};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{app_is_untouched, becomes, still_refreshes, watcher};
use crate::{
    host::{SECRETS, mounts, restarts, volume},
    tenant::{Tenant, status},
};

pub(super) fn cases() -> Vec<Case> {
    cases![
        containers_cannot_write_to_the_volume,
        a_volume_without_data_is_mended,
        a_planted_data_link_is_not_followed,
        a_planted_data_directory_is_replaced,
        a_planted_link_at_a_files_name_is_replaced,
        a_planted_pipe_at_a_files_name_is_replaced,
        a_planted_file_at_a_files_name_is_replaced,
        a_planted_directory_at_a_files_name_is_replaced,
        a_planted_pipe_for_a_status_is_replaced,
        a_planted_link_for_a_status_is_not_followed,
        a_changed_file_is_mended,
        what_only_root_can_remove_is_told,
    ]
}

/// Root in a container of its own is not enough: the mount is read-only, and nobody may mount it otherwise.
async fn containers_cannot_write_to_the_volume(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "read-only").await?;
    let value = tenant.put("app").await?;
    let pod = tenant.run(&watcher(&tenant)).await?;
    let attempts = [
        "touch /run/mayfly/planted",
        "rm /run/mayfly/value",
        "echo planted >/run/mayfly/value",
        "ln -s /etc/passwd /run/mayfly/planted",
        "mv /run/mayfly/..data /run/mayfly/..gone",
        "mkfifo /run/mayfly/planted",
        "chmod 0777 /run/mayfly",
        "mount -o remount,rw /run/mayfly",
        "umount /run/mayfly",
    ];
    for attempt in attempts {
        let script = format!("({attempt}) 2>&1 && echo done || true");
        let said = pod.exec(&["sh", "-c", &script]).await?;
        let denied = ["Read-only file system", "not permitted", "ermission denied"];
        ensure!(denied.iter().any(|words| said.contains(words)), "`{attempt}` says {said:?}");
    }
    ensure!(pod.file("/run/mayfly/value").await? == value, "the file did not stay");
    still_refreshes(&tenant, &pod).await?;
    app_is_untouched(&pod).await
}

/// Somebody's hand on the volume: root's to remove, for whom the sticky bit of a volume in memory is no hindrance, and
/// the agent's own user's to plant, who may be a container's too.
struct Hostile {
    volume: PathBuf,
    /// A file of somebody else, which must stay as it is.
    bait: PathBuf,
    user: u32,
}

/// What the bait says before and after.
const BAIT: &str = "a file of the node's";

/// A pod with one file, on whose volume `deed` is done from the node; the file becomes good again, without a restart.
async fn tampered_is_mended(
    cluster: &Cluster,
    deed: impl FnOnce(&Hostile) -> Result<()>,
) -> Result<()> {
    let tenant = Tenant::new(cluster, "tampered").await?;
    let value = tenant.put("app").await?;
    let pod = tenant.run(&tenant.vault_pod("web")).await?;
    let bait = cluster.lab().folders.cluster().join(format!("bait-{}", tenant.namespace.name()));
    fs::write(&bait, BAIT).context("lay the bait")?;
    let volume = volume(cluster, &pod, SECRETS).await?;
    ensure!(is_in_memory(&volume)?, "{} is not in memory", volume.display());
    let user = fs::symlink_metadata(volume.join("value")).context("look at the file's link")?.uid();
    let hostile = Hostile { volume, bait, user };
    deed(&hostile)?;
    becomes(&pod, &value).await?;
    still_refreshes(&tenant, &pod).await?;
    ensure!(fs::read_to_string(&hostile.bait)? == BAIT, "a planted link was followed");
    let healthy = || async {
        let status = status(&pod).await?;
        ensure!(status["state"] == "ready", "the status is {status}");
        Ok(())
    };
    eventually("the status to be good", PATIENCE, healthy).await?;
    nothing_was_restarted(&pod).await
}

async fn nothing_was_restarted(pod: &Pod) -> Result<()> {
    for container in ["mayfly-agent", "app"] {
        ensure!(restarts(pod, container).await? == 0, "{container} was restarted");
    }
    Ok(())
}

fn is_in_memory(folder: &Path) -> Result<bool> {
    Ok(mounts()?.iter().any(|(point, kind)| point == folder && kind == "tmpfs"))
}

impl Hostile {
    /// A name in the volume, with nothing there any more.
    fn cleared(&self, name: &str) -> Result<PathBuf> {
        let path = self.volume.join(name);
        fs::remove_file(&path).with_context(|| format!("remove {name}"))?;
        Ok(path)
    }

    /// Makes something the agent's user's own.
    fn give(&self, path: &Path) -> Result<()> {
        lchown(path, Some(self.user), None).with_context(|| format!("give {} away", path.display()))
    }

    fn plant_link(&self, name: &str, target: &Path) -> Result<()> {
        let path = self.cleared(name)?;
        symlink(target, &path).with_context(|| format!("plant a link at {name}"))?;
        self.give(&path)
    }

    fn plant_pipe(&self, name: &str) -> Result<()> {
        let path = self.cleared(name)?;
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o666), 0)
            .with_context(|| format!("plant a pipe at {name}"))?;
        self.give(&path)
    }

    fn plant_file(&self, path: &Path) -> Result<()> {
        fs::write(path, "planted").with_context(|| format!("plant {}", path.display()))?;
        self.give(path)
    }

    /// A directory of the agent's user with a file `value` in it.
    fn plant_directory(&self, name: &str) -> Result<()> {
        let path = self.cleared(name)?;
        fs::create_dir(&path).with_context(|| format!("plant a directory at {name}"))?;
        self.plant_file(&path.join("value"))?;
        self.give(&path)
    }
}

async fn a_volume_without_data_is_mended(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.cleared("..data").map(drop)).await
}

async fn a_planted_data_link_is_not_followed(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| {
        let elsewhere = hostile.bait.with_extension("folder");
        fs::create_dir(&elsewhere)?;
        symlink(&hostile.bait, elsewhere.join("value"))?;
        hostile.plant_link("..data", &elsewhere)
    })
    .await
}

async fn a_planted_data_directory_is_replaced(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.plant_directory("..data")).await
}

async fn a_planted_link_at_a_files_name_is_replaced(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.plant_link("value", &hostile.bait)).await
}

async fn a_planted_pipe_at_a_files_name_is_replaced(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.plant_pipe("value")).await
}

async fn a_planted_file_at_a_files_name_is_replaced(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.plant_file(&hostile.cleared("value")?)).await
}

async fn a_planted_directory_at_a_files_name_is_replaced(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.plant_directory("value")).await
}

async fn a_planted_pipe_for_a_status_is_replaced(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.plant_pipe("status.json")).await
}

async fn a_planted_link_for_a_status_is_not_followed(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.plant_link("status.json", &hostile.bait)).await
}

async fn a_changed_file_is_mended(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| {
        fs::write(hostile.volume.join("..data/value"), "planted").context("change the file")
    })
    .await
}

/// In a sticky folder nobody but root removes what root has planted: the agent tells, and goes on when it is gone.
async fn what_only_root_can_remove_is_told(cluster: &Cluster) -> Result<()> {
    let tenant = Tenant::new(cluster, "planted").await?;
    tenant.put("app").await?;
    let pod = tenant.run(&tenant.vault_pod("web")).await?;
    let link = volume(cluster, &pod, SECRETS).await?.join("value");
    fs::remove_file(&link).context("remove the file's link")?;
    symlink("/etc/passwd", &link).context("plant a link")?;
    let told = || async {
        let status = status(&pod).await?;
        let error = status["error"].to_string();
        ensure!(status["state"] == "stale" && error.contains("value"), "the status is {status}");
        Ok(())
    };
    eventually("the status to tell of it", PATIENCE, told).await?;
    fs::remove_file(&link).context("remove what was planted")?;
    still_refreshes(&tenant, &pod).await?;
    nothing_was_restarted(&pod).await
}
