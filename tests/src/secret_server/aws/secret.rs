//! A secret of Secrets Manager: its versions and the labels that sit on them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{Duration, SystemTime},
};

use super::ACCOUNT;
use crate::secret_server::identifier::{alphanumeric, uuid};

/// The label of the version that is handed out.
const CURRENT: &str = "AWSCURRENT";

/// The label of the one before it.
const PREVIOUS: &str = "AWSPREVIOUS";

/// One secret.
#[derive(Debug)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Its full ARN.
    pub arn: String,
    /// Whether it waits for its deletion.
    pub marked_for_deletion: bool,
    /// When it was rotated, and when it will be; absent without rotation.
    pub rotation: Option<Rotation>,
    versions: BTreeMap<String, Version>,
}

/// What Secrets Manager does by itself, and when.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// The last time.
    pub last: SystemTime,
    /// The next time.
    pub next: SystemTime,
}

/// One version of a secret.
#[derive(Debug)]
pub struct Version {
    /// What it holds.
    pub value: SecretValue,
    /// The labels that sit on it.
    pub stages: BTreeSet<String>,
    /// When it was made.
    pub created: SystemTime,
}

/// What a version holds.
#[derive(Clone)]
pub enum SecretValue {
    /// `SecretString`.
    Text(String),
    /// `SecretBinary`.
    Binary(Vec<u8>),
}

impl Secret {
    pub(super) fn new(region: &str, name: &str) -> Self {
        let suffix = alphanumeric(6);
        let arn = format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-{suffix}");
        let (name, versions) = (name.to_owned(), BTreeMap::new());
        Self { name, arn, marked_for_deletion: false, rotation: None, versions }
    }

    /// By name, by full ARN, or by the ARN without its random end. Every region has a replica, whose
    /// ARN differs in the region only.
    pub(super) fn is(&self, id: &str) -> bool {
        let local = |arn: &str| {
            let parts: Vec<&str> = arn.splitn(5, ':').collect();
            parts.get(4).map(|local| (*local).to_owned())
        };
        let partial = self.arn.rsplit_once('-').map_or("", |(partial, _)| partial);
        let is_arn = id.starts_with("arn:")
            && (local(id) == local(&self.arn) || local(id) == local(partial));
        id == self.name || is_arn
    }

    pub(super) fn put(&mut self, value: SecretValue) -> String {
        let id = uuid();
        if let Some(current) = self.labelled(CURRENT).map(|(id, _)| id.to_owned()) {
            self.label(&current, PREVIOUS);
        }
        let created = SystemTime::now();
        self.versions.insert(id.clone(), Version { value, stages: BTreeSet::new(), created });
        self.label(&id, CURRENT);
        id
    }

    /// Adds a version that only carries `stage`, for example `AWSPENDING`.
    pub fn put_staged(&mut self, stage: &str, value: impl Into<SecretValue>) -> String {
        let (id, value, created) = (uuid(), value.into(), SystemTime::now());
        self.versions.insert(id.clone(), Version { value, stages: BTreeSet::new(), created });
        self.label(&id, stage);
        id
    }

    /// Moves a label to a version; it sits on one version at a time.
    pub fn label(&mut self, version: &str, stage: &str) {
        for (id, held) in &mut self.versions {
            if id == version {
                held.stages.insert(stage.to_owned());
            } else {
                held.stages.remove(stage);
            }
        }
    }

    /// Makes the version with this label so much older than it is.
    pub fn age(&mut self, stage: &str, by: Duration) {
        let mut versions = self.versions.values_mut();
        if let Some(version) = versions.find(|version| version.stages.contains(stage)) {
            version.created -= by;
        }
    }

    /// A version by its id.
    pub fn version(&self, id: &str) -> Option<(&str, &Version)> {
        self.versions.get_key_value(id).map(|(id, version)| (id.as_str(), version))
    }

    /// The version that a label sits on.
    pub fn labelled(&self, stage: &str) -> Option<(&str, &Version)> {
        let mut versions = self.versions.iter().map(|(id, version)| (id.as_str(), version));
        versions.find(|(_, version)| version.stages.contains(stage))
    }

    /// Every version that still carries a label.
    pub fn versions(&self) -> impl Iterator<Item = (&str, &Version)> {
        let versions = self.versions.iter().map(|(id, version)| (id.as_str(), version));
        versions.filter(|(_, version)| !version.stages.is_empty())
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Binary(_) => "Binary",
        })
    }
}

impl From<&str> for SecretValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SecretValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for SecretValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}
