//! What a pod asks for, once it is read.
//!
//! PURE.

use std::collections::BTreeMap;

use mayfly_spec::{
    file::FileEntry,
    reference::{Location, Source},
    spec::Mode,
};

use crate::settings::{Annotation, Settings, VaultMethod};

/// What a pod asks for.
#[derive(Debug)]
pub struct Request {
    /// What holds: the author's settings, else the namespace's, else the operator's.
    pub settings: Settings,
    /// The author's own settings: what is answered with a warning when it has no effect.
    pub own: Settings,
    /// The settings of the namespace's annotations.
    pub namespaces: Settings,
    /// What of the operator's settings nothing but labels of the pod has chosen, and the override's name.
    pub by_labels: BTreeMap<Annotation, String>,
    /// What is to be written.
    pub files: Vec<FileEntry>,
}

impl Request {
    /// How the agent is placed.
    pub fn mode(&self) -> Mode {
        self.settings.mode.unwrap_or(Mode::Sidecar)
    }

    /// How the agent logs in to Vault.
    pub fn vault_method(&self) -> VaultMethod {
        self.settings.vault_auth_method.unwrap_or_default()
    }

    /// Whether AWS is asked: for a file, or who the pod is for Vault.
    pub fn asks_aws(&self) -> bool {
        let by_login = self.vault_method() == VaultMethod::Aws && self.reads(Source::is_vault);
        by_login || self.reads(Source::is_aws)
    }

    /// Everything that is read, with the path of the file that it is read for.
    pub fn reads_at(&self) -> impl Iterator<Item = (&str, &Location)> {
        self.files.iter().flat_map(|entry| {
            let path = entry.path.as_str();
            entry.references().iter().map(move |reference| (path, &reference.location))
        })
    }

    /// Whether a file comes from such a source.
    pub fn reads(&self, is_such: impl Fn(Source) -> bool) -> bool {
        self.reads_at().any(|(_, location)| is_such(location.source()))
    }
}
