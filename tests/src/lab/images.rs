//! The images: two of the lab's own, made once, and Mayfly's, made from its Dockerfile. None is pulled from anywhere.

pub mod mayfly;

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tokio::sync::Mutex;

use super::{folders, folders::Folders, launch::Lab, node, program::Program, progress::say};

/// The image of test pods.
pub const BUSYBOX: &str = "localhost/busybox:1";

/// The image of test pods that ask a database: the other one's programs and PostgreSQL's client.
pub const PSQL: &str = "localhost/psql:1";

/// The image that holds a pod's namespaces.
const PAUSE: &str = "localhost/pause:1";

/// Makes the archives of the lab's own images, if the cache lacks them.
pub async fn prepare_bases(folders: &Folders) -> Result<()> {
    let archive = base_archive(folders);
    if archive.exists() {
        return Ok(());
    }
    say("test images: making, once");
    let context = folders.images().join("busybox");
    assemble_busybox(&context.join("rootfs")).await?;
    make(folders, &context, BUSYBOX, &archive).await
}

/// Gives containerd the image [`PSQL`], which is made if the cache lacks it.
pub async fn import_psql(lab: &Lab, psql: &Path) -> Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    let folders = &lab.folders;
    let archive = folders.images().join("psql-1.tar");
    if !archive.exists() {
        let context = folders.images().join("psql");
        let root = context.join("rootfs");
        assemble_busybox(&root).await?;
        add_program(&root, psql).await?;
        make(folders, &context, PSQL, &archive).await?;
    }
    import(lab, &archive).await
}

/// Makes an image of the files below a context's `rootfs`.
async fn make(folders: &Folders, context: &Path, image: &str, archive: &Path) -> Result<()> {
    fs::copy(folders::data("busybox/Dockerfile"), context.join("Dockerfile"))?;
    let build = ["bud", "--quiet", "--isolation", "chroot", "--tag", image];
    buildah(folders).args(build).args([context]).text().await.context("make a test image")?;
    save(folders, image, archive).await
}

/// Puts a program of this machine into an image's files, with the libraries that it is linked to.
async fn add_program(root: &Path, program: &Path) -> Result<()> {
    let linked = Program::new("ldd").args([program]).text().await?;
    let libraries = linked.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new);
    for library in libraries {
        let to = root.join(library.strip_prefix("/")?);
        fs::create_dir_all(to.parent().context("a library is in a folder")?)?;
        fs::copy(library, to).with_context(|| format!("copy {}", library.display()))?;
    }
    let name = program.file_name().context("a program has a name")?;
    fs::copy(program, root.join("bin").join(name)).map(drop).context("copy the program")
}

/// Gives containerd the lab's own images.
pub async fn import_bases(lab: &Lab) -> Result<()> {
    import(lab, &base_archive(&lab.folders)).await?;
    ctr(lab, &["images", "tag", BUSYBOX, PAUSE]).await.map(drop)
}

/// Writes an image of buildah's storage as an archive.
pub async fn save(folders: &Folders, image: &str, archive: &Path) -> Result<()> {
    let unfinished = archive.with_extension("unfinished");
    // buildah adds to an archive that is there.
    let _ = fs::remove_file(&unfinished);
    let target = format!("docker-archive:{}:{image}", unfinished.display());
    buildah(folders).args(["push", "--quiet", image, &target]).text().await?;
    fs::rename(&unfinished, archive).with_context(|| format!("keep {}", archive.display()))
}

/// Gives containerd an archive's image.
pub async fn import(lab: &Lab, archive: &Path) -> Result<()> {
    ctr(lab, &["images", "import", &archive.display().to_string()]).await.map(drop)
}

/// Talks to the lab's containerd, in the namespace of the kubelet's containers.
pub async fn ctr(lab: &Lab, arguments: &[&str]) -> Result<String> {
    let socket = node::socket(&lab.folders.cluster());
    let ctr = Program::new("ctr").args(["--namespace", "k8s.io", "--address"]).args([socket]);
    ctr.args(arguments).text().await
}

/// buildah with a storage of the lab's own.
pub(super) fn buildah(folders: &Folders) -> Program {
    Program::new("buildah")
        .args(["--storage-driver", "overlay", "--root"])
        .args([folders.buildah().join("storage")])
        .args(["--runroot"])
        .args([folders.buildah().join("run")])
}

fn base_archive(folders: &Folders) -> PathBuf {
    folders.images().join("busybox-1.tar")
}

async fn assemble_busybox(root: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(root);
    for folder in ["bin", "etc", "tmp"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n")?;
    fs::copy("/bin/busybox", root.join("bin/busybox")).context("copy the static busybox")?;
    let applets = Program::new("/bin/busybox").args(["--list"]).text().await?;
    for applet in applets.lines().filter(|&applet| applet != "busybox") {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    Ok(())
}
