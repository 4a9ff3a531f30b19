//! Mayfly's own images, by its own Dockerfile. The builder is this machine: its toolchain, its C compiler and its cargo
//! home are mounted into an empty image, and Cargo's target folder into the cache, so that a second build takes seconds.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{buildah, save};
use crate::lab::{folders, folders::Folders, program::Program, progress::say};

/// The name under which the Dockerfile's `ARG BUILDER` finds the builder.
const BUILDER: &str = "localhost/mayfly-builder:1";

/// One of Mayfly's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The agent that is put into pods.
    Agent,
    /// The admission webhook.
    Webhook,
}

impl Target {
    /// The image's name without its tag, as the manifests have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agent => "mayfly-agent",
            Self::Webhook => "mayfly-webhook",
        }
    }

    /// The image's name in the lab.
    pub fn image(self) -> String {
        format!("localhost/{}:{TAG}", self.name())
    }

    fn stage(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Webhook => "webhook",
        }
    }
}

/// The tag of the images in the lab.
pub const TAG: &str = "e2e";

/// Builds both images from a checkout and hands out their archives.
pub async fn build_all(folders: &Folders, checkout: &Path) -> Result<Vec<PathBuf>> {
    let machine = Machine::find(checkout).await?;
    machine.prepare_builder(folders).await.context("make the builder image")?;
    forget_another(&folders.image_target(), checkout).context("clear Cargo's target folder")?;
    say("Mayfly's images: building");
    let mut archives = vec![];
    for target in [Target::Agent, Target::Webhook] {
        archives.push(machine.build(folders, checkout, target).await?);
    }
    // Each build leaves the one before it without a name.
    buildah(folders).args(["rmi", "--prune", "--force"]).text().await?;
    say("Mayfly's images: built");
    Ok(archives)
}

/// Has Cargo build Mayfly anew if another checkout's is in the cache: by its files' times alone, Cargo may take one for the
/// other. What both depend on stays.
fn forget_another(cache: &Path, checkout: &Path) -> Result<()> {
    let (note, here) = (cache.join("checkout"), checkout.display().to_string());
    if fs::read_to_string(&note).is_ok_and(|before| before == here) {
        return Ok(());
    }
    fs::create_dir_all(cache)?;
    for target in fs::read_dir(cache)? {
        let Ok(units) = fs::read_dir(target?.path().join("release/.fingerprint")) else { continue };
        for unit in units {
            let unit = unit?;
            if unit.file_name().to_string_lossy().starts_with("mayfly-") {
                fs::remove_dir_all(unit.path())?;
            }
        }
    }
    Ok(fs::write(note, here)?)
}

/// The program in an image, as [`build_all`] has left it in the cache: static, so it runs on the machine itself too.
pub fn program(folders: &Folders, target: Target) -> Result<Program> {
    let cache = folders.image_target();
    let entries = fs::read_dir(&cache).with_context(|| format!("read {}", cache.display()))?;
    let mut programs = entries
        .filter_map(|entry| Some(entry.ok()?.path().join("release").join(target.name())))
        .filter(|program| program.is_file());
    let program = programs.next().with_context(|| format!("{} is not built", target.name()))?;
    Ok(Program::new(program))
}

/// What the builder takes from this machine.
struct Machine {
    toolchain: PathBuf,
    cargo_home: PathBuf,
}

impl Machine {
    async fn find(checkout: &Path) -> Result<Self> {
        let sysroot = Program::new("rustc")
            .args(["--print", "sysroot"])
            .at_home()
            .folder(checkout)
            .text()
            .await?;
        // A toolchain may be a link to another one, and only the mounted one is there in the build.
        let toolchain = fs::canonicalize(sysroot.trim()).context("find the Rust toolchain")?;
        let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"));
        let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
        Ok(Self { toolchain, cargo_home: cargo_home.context("set HOME or CARGO_HOME")? })
    }

    async fn prepare_builder(&self, folders: &Folders) -> Result<()> {
        let context = folders.images().join("builder");
        assemble(&context.join("rootfs"))?;
        fs::copy(folders::data("builder/Dockerfile"), context.join("Dockerfile"))?;
        buildah(folders)
            .args(["bud", "--quiet", "--isolation", "chroot", "--tag", BUILDER])
            .args([format!("--build-arg=TOOLCHAIN={}", self.toolchain.display())])
            .args([format!("--build-arg=CARGO_HOME={}", self.cargo_home.display())])
            .args([context])
            .text()
            .await
            .map(drop)
    }

    async fn build(&self, folders: &Folders, checkout: &Path, target: Target) -> Result<PathBuf> {
        let cache = folders.image_target();
        fs::create_dir_all(&cache).with_context(|| format!("make {}", cache.display()))?;
        let image = target.image();
        buildah(folders)
            .args(["bud", "--isolation", "chroot", "--tag", &image, "--target", target.stage()])
            .args([format!("--build-arg=BUILDER={BUILDER}")])
            .args(self.mounts(&cache).iter().map(|mount| format!("--volume={mount}")))
            .args([checkout])
            .text()
            .await
            .with_context(|| format!("build the image of the {}", target.stage()))?;
        let archive = folders.images().join(format!("{}.tar", target.name()));
        save(folders, &image, &archive).await?;
        Ok(archive)
    }

    fn mounts(&self, cache: &Path) -> [String; 5] {
        let (toolchain, cargo_home) = (self.toolchain.display(), self.cargo_home.display());
        [
            "/usr:/usr:ro".to_owned(),
            "/etc/alternatives:/etc/alternatives:ro".to_owned(),
            format!("{toolchain}:{toolchain}:ro"),
            format!("{cargo_home}:{cargo_home}"),
            format!("{}:/target", cache.display()),
        ]
    }
}

/// The builder's own files: what must be there before anything is mounted, and what is copied out of it.
fn assemble(root: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(root);
    for folder in ["etc/ssl/certs", "root", "tmp", "usr"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    for folder in ["bin", "lib", "lib64", "sbin"] {
        symlink(Path::new("usr").join(folder), root.join(folder))?;
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    let authorities = "etc/ssl/certs/ca-certificates.crt";
    fs::copy(Path::new("/").join(authorities), root.join(authorities))
        .context("install ca-certificates")?;
    Ok(())
}
