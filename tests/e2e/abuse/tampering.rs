//! Hostile hands on the volume: from a container, and from the node as root and as the agent's own user.
#![expect(clippy::disallowed_methods, reason = "hostile hands on the volume are played with files")]

use std::{
    fs,
    io::{self, ErrorKind},
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
use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Uid, chownat, mkdirat, mknodat, openat},
    io::Errno,
};
use serde_json::{Value, json};

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
        a_plausible_status_steers_nothing,
        a_generation_of_the_last_number_is_not_believed,
        a_deep_directory_is_removed,
        everything_at_once_for_a_while_changes_nothing,
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

/// A generation after which there can be none.
const LAST: &str = "..18446744073709551615-00000000";

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
    let hostile = Hostile::of(cluster, &tenant, &pod).await?;
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
    async fn of(cluster: &Cluster, tenant: &Tenant<'_>, pod: &Pod) -> Result<Self> {
        let bait =
            cluster.lab().folders.cluster().join(format!("bait-{}", tenant.namespace.name()));
        fs::write(&bait, BAIT).context("lay the bait")?;
        let volume = volume(cluster, pod, SECRETS).await?;
        ensure!(is_in_memory(&volume)?, "{} is not in memory", volume.display());
        let link = fs::symlink_metadata(volume.join("value")).context("look at the file's link")?;
        Ok(Self { volume, bait, user: link.uid() })
    }

    /// The agent's account of itself on the volume, which is for others to read.
    fn account(&self) -> Result<Value> {
        let text = fs::read_to_string(self.volume.join("status.json"));
        serde_json::from_str(&text.context("read the status")?).context("read the status")
    }

    fn plant_status(&self) -> Result<()> {
        let path = self.volume.join("status.json");
        let mut status = self.account()?;
        status["generation"] = json!(u64::MAX);
        status["state"] = json!("failed");
        status["error"] = json!({"class": "refused", "message": "planted \u{1b}]0;planted\u{7}"});
        for reference in status["references"].as_array_mut().into_iter().flatten() {
            reference["version"] = json!("18446744073709551615");
            reference["created"] = json!("9999-12-31T23:59:59Z");
        }
        fs::remove_file(&path).context("remove the status")?;
        fs::write(&path, status.to_string()).context("plant a status")?;
        self.give(&path)
    }

    /// Directories in directories, where the agent sweeps.
    fn plant_depth(&self) -> Result<()> {
        // Those of an earlier round may still be there.
        let top = self.volume.join(format!("..7-{:08x}", fastrand::u32(..)));
        fs::create_dir_all(&top).context("plant a directory")?;
        let mut at = fs::File::open(&top).context("open it")?;
        self.give(&top)?;
        for _ in 0..40_000 {
            match self.plant_level(&at) {
                Ok(next) => at = next,
                // The agent sweeps already.
                Err(Errno::NOENT) => break,
                Err(error) => return Err(error).context("plant a directory in the last one"),
            }
        }
        Ok(())
    }

    fn plant_level(&self, above: &fs::File) -> Result<fs::File, Errno> {
        let user = Some(Uid::from_raw(self.user));
        mkdirat(above, "d", Mode::RWXU)?;
        chownat(above, "d", user, None, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(openat(above, "d", OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())?.into())
    }

    /// Plants something at a name of the volume, in place of what is there. The agent mends all the while, and may be
    /// quicker between the two.
    fn plant(&self, name: &str, deed: impl Fn(&Path) -> io::Result<()>) -> Result<PathBuf> {
        let mut planted = Err(ErrorKind::AlreadyExists.into());
        for _ in 0..100 {
            let path = self.cleared(name)?;
            planted = deed(&path).map(|()| path);
            if !planted.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
                break;
            }
        }
        planted.with_context(|| format!("plant something at {name}"))
    }

    /// A name in the volume, with nothing there any more.
    fn cleared(&self, name: &str) -> Result<PathBuf> {
        let path = self.volume.join(name);
        let is_directory = fs::symlink_metadata(&path).is_ok_and(|it| it.is_dir());
        let removed = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.with_context(|| format!("remove {name}"))?;
        Ok(path)
    }

    /// Makes something the agent's user's own.
    fn give(&self, path: &Path) -> Result<()> {
        lchown(path, Some(self.user), None).with_context(|| format!("give {} away", path.display()))
    }

    fn plant_link(&self, name: &str, target: &Path) -> Result<()> {
        let path = self.plant(name, |path| symlink(target, path))?;
        self.give(&path)
    }

    fn plant_pipe(&self, name: &str) -> Result<()> {
        let path = self.plant(name, |path| {
            Ok(mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), 0)?)
        })?;
        self.give(&path)
    }

    fn plant_file(&self, path: &Path) -> Result<()> {
        fs::write(path, "planted").with_context(|| format!("plant {}", path.display()))?;
        self.give(path)
    }

    /// A directory of the agent's user with a file `value` in it.
    fn plant_directory(&self, name: &str) -> Result<()> {
        let path = self.plant(name, |path| fs::create_dir(path))?;
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

/// The agent's own account, but of newer versions, later dates and the last generation that there can be.
async fn a_plausible_status_steers_nothing(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, Hostile::plant_status).await
}

async fn a_generation_of_the_last_number_is_not_believed(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, |hostile| hostile.plant_link("..data", Path::new(LAST))).await
}

/// Such a name is the agent's to sweep; forty thousand levels are more than a stack holds.
async fn a_deep_directory_is_removed(cluster: &Cluster) -> Result<()> {
    tampered_is_mended(cluster, Hostile::plant_depth).await
}

/// All of it, again and again, while the secret is rotated: what the app reads is always a value that was put there, the
/// gate opens for another process, and the agent is not restarted.
async fn everything_at_once_for_a_while_changes_nothing(cluster: &Cluster) -> Result<()> {
    let rounds = if cluster.soak() { 100 } else { 10 };
    let tenant = Tenant::new(cluster, "siege").await?;
    tenant.put("app").await?;
    let pod = tenant.run(&tenant.vault_pod("web")).await?;
    let hostile = Hostile::of(cluster, &tenant, &pod).await?;
    for round in 0..rounds {
        hostile.plant_status()?;
        hostile.plant_depth()?;
        match round % 4 {
            0 => hostile.plant_link("..data", Path::new(LAST))?,
            1 => hostile.plant_directory("..data")?,
            2 => hostile.plant_link("value", &hostile.bait)?,
            _ => hostile.plant_directory("status.json")?,
        }
        let value = tenant.put("app").await?;
        becomes(&pod, &value).await?;
        let waited = pod.exec_in("mayfly-agent", &["/mayfly-agent", "wait", "--timeout=20s"]).await;
        waited.context("the gate does not open")?;
        let said = pod.exec_in("mayfly-agent", &["/mayfly-agent", "status"]).await?;
        ensure!(!said.contains("planted") && !said.contains('\u{1b}'), "the status says {said:?}");
        // Its account on the volume comes after the files, and the next round begins with it.
        let accounted = || async { hostile.account().map(drop) };
        eventually("the agent's account to be a file again", PATIENCE, accounted).await?;
    }
    ensure!(fs::read_to_string(&hostile.bait)? == BAIT, "a planted link was followed");
    nothing_was_restarted(&pod).await
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
