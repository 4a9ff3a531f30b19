//! Where the lab keeps things: what is worth keeping from run to run, and what a run leaves nothing of.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The lab's folders below the user's cache.
#[derive(Debug, Clone)]
pub struct Folders {
    cache: PathBuf,
}

impl Folders {
    /// Finds the cache folder, as the XDG base directory specification has it, and makes it.
    pub fn find() -> Result<Self> {
        let base = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
        let base = base.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
        let cache = base
            .context("set HOME or XDG_CACHE_HOME: the lab keeps its tools there")?
            .join("mayfly-lab");
        fs::create_dir_all(&cache).with_context(|| format!("make {}", cache.display()))?;
        Ok(Self { cache })
    }

    /// The built tools, one folder for each name and version.
    pub fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// The folder that all of the others are in.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Image archives that are the same in every run.
    pub fn images(&self) -> PathBuf {
        self.cache.join("images")
    }

    /// Cargo's target folder of the image build.
    pub fn image_target(&self) -> PathBuf {
        self.cache.join("image-target")
    }

    /// buildah's storage.
    pub fn buildah(&self) -> PathBuf {
        self.cache.join("buildah")
    }

    /// Everything of the running cluster: configuration, keys, sockets, volumes, databases.
    pub fn cluster(&self) -> PathBuf {
        self.cache.join("cluster")
    }

    /// The logs of the last run.
    pub fn logs(&self) -> PathBuf {
        self.cache.join("logs")
    }

    /// Where the API server writes what it was asked and what it answered, with all bodies.
    pub fn audit_log(&self) -> PathBuf {
        self.logs().join("audit.log")
    }

    /// Where Vault writes who asked it for what, with all values hashed.
    pub fn vault_audit_log(&self) -> PathBuf {
        self.logs().join("vault-audit.log")
    }

    /// The containers' own logs.
    pub fn pod_logs(&self) -> PathBuf {
        self.logs().join("pods")
    }

    /// The home folder of what the lab starts.
    pub fn home(&self) -> PathBuf {
        self.cache.join("home")
    }

    /// Held by the one lab of this machine.
    pub fn lock(&self) -> PathBuf {
        self.cache.join("lock")
    }
}

/// The checkout that this program was built from.
pub fn checkout() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// The home folder of everything that tests start, wherever their own is: programs keep caches there, which have no place
/// in a checkout.
pub fn home() -> PathBuf {
    let home = Folders::find().map(|folders| folders.home()).ok();
    let home = home.filter(|home| !home.starts_with(checkout()));
    home.unwrap_or_else(|| env::temp_dir().join("mayfly-home"))
}

/// A folder or file of the lab's data, `tests/lab/…`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lab").join(name)
}

/// Writes a file and the folders above it.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    fs::write(path, content).with_context(|| format!("write {}", path.display()))
}

/// Reads a text file.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

/// Writes one of the lab's templates with its `{names}` replaced; a name that is left over is a mistake.
pub fn render(template: &str, values: &[(&str, &str)], to: &Path) -> Result<()> {
    let text = read(&data(template))?;
    let text =
        values.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
    write(to, text)
}
