//! What the agent remembers between its lives: what it has written, and which versions it has seen.
//!
//! It lies in a folder that only the agent may write to, and is the only thing that an agent believes
//! of an earlier one. The gate reads it too. It holds digests and versions, no values.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use mayfly_spec::Spec;
use serde::{Deserialize, Serialize};

use crate::{
    files::{Folder, FolderError},
    manifest::Manifest,
    root::Root,
    source::Version,
    status::Status,
    timestamp::Timestamp,
};

/// The file's name.
const NAME: &str = "memory.json";
/// The same account as on the volume, where nobody else can have written it.
const STATUS: &str = "status.json";
/// Vault's tokens and leases, which its own room writes; looked at before anything believes them.
const VAULT: &str = "vault.json";
/// Far more than ten thousand references need.
const LONGEST: usize = 16 << 20;

/// Where the webhook mounts a volume for the agent alone.
const IN_A_POD: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Outside a pod it lies beside the files; its name is none that a secret can have.
const BESIDE_THE_FILES: &str = "..agent";

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Memory {
    /// A digest of the configuration that the present generation is of.
    pub configuration: String,
    /// The present generation.
    pub manifest: Manifest,
    /// When it was written.
    pub written: Option<Timestamp>,
    /// What is known of each secret, by its reference.
    pub references: BTreeMap<String, Remembered>,
}

/// What is remembered of one secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Remembered {
    /// The version that is on the volume.
    pub written: Version,
    /// The newest that was believed.
    pub believed: Version,
    /// When the version on the volume was last seen to be the present one.
    pub fetched: Option<Timestamp>,
    /// Since when an older one is answered.
    pub older_since: Option<Timestamp>,
}

/// Where the agent of `spec` keeps what only it may write.
pub fn place(spec: &Spec, root: &Root) -> PathBuf {
    match (&spec.state, spec.mode) {
        (Some(folder), _) => root.resolve(folder),
        (None, Some(_)) => root.resolve(Path::new(IN_A_POD)),
        (None, None) => spec.directory.join(BESIDE_THE_FILES),
    }
}

/// Takes the folder for this agent, and refuses it if there is anything in it that another wrote.
pub fn take(path: &Path) -> Result<Folder, FolderError> {
    let folder = Folder::make(path)?;
    folder.lock()?;
    folder.sweep();
    [NAME, STATUS, VAULT].iter().try_for_each(|name| folder.refuse(name))?;
    Ok(folder)
}

impl Memory {
    /// What an earlier agent remembered; nothing, if it was none of this kind.
    pub fn read(folder: &Folder) -> Result<Self, FolderError> {
        let json = folder.read(NAME, LONGEST)?;
        Ok(json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default())
    }

    /// Remembers it.
    ///
    /// # Panics
    /// Never: every name in it is text.
    pub fn write(&self, folder: &Folder) -> Result<(), FolderError> {
        let json = serde_json::to_vec(self).expect("the names in a memory are text");
        folder.write(NAME, &json)
    }
}

/// The agent's account of itself, as it was last written by nobody else.
pub fn read_status(folder: &Folder) -> Result<Option<Status>, FolderError> {
    Ok(folder.read(STATUS, LONGEST)?.and_then(|json| Status::parse(&json)))
}

/// Writes it.
pub fn write_status(folder: &Folder, status: &[u8]) -> Result<(), FolderError> {
    folder.write(STATUS, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_reads_back_and_a_broken_one_is_forgotten() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = take(place.path()).expect("a folder");
        assert_eq!(Memory::read(&folder).expect("nothing"), Memory::default());
        let memory = Memory { configuration: "c".to_owned(), ..Memory::default() };
        memory.write(&folder).expect("written");
        assert_eq!(Memory::read(&folder).expect("read"), memory);
        folder.write(NAME, b"{").expect("written");
        assert_eq!(Memory::read(&folder).expect("read"), Memory::default());
    }

    #[test]
    fn each_kind_of_agent_has_its_place() {
        let spec = |more: &str| {
            let json = format!(r#"{{"version":1,"directory":"/run/mayfly","files":[]{more}}}"#);
            Spec::from_environment(&json).expect("a configuration")
        };
        let root = Root::new(Some("/pod".into()));
        for (more, expected) in [
            ("", "/run/mayfly/..agent"),
            (r#","state":"/run/state""#, "/pod/run/state"),
            (r#","mode":"sidecar""#, "/pod/var/run/secrets/kubernetes.io/serviceaccount"),
        ] {
            assert_eq!(place(&spec(more), &root), Path::new(expected), "{more}");
        }
    }
}
