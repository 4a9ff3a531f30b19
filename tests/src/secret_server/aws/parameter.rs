//! A parameter of the Parameter Store: its versions, and the labels that sit on them.

use std::{collections::BTreeMap, time::SystemTime};

use super::ACCOUNT;

/// One parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its full ARN.
    pub arn: String,
    versions: Vec<Version>,
    labels: BTreeMap<String, u64>,
}

#[derive(Debug)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) value: ParameterValue,
    pub(super) changed: SystemTime,
}

/// What a version holds.
#[derive(Debug, Clone)]
pub enum ParameterValue {
    /// `SecureString`.
    Secure(String),
    /// `StringList`.
    List(String),
}

impl Parameter {
    pub(super) fn new(region: &str, name: &str) -> Self {
        let path = name.trim_start_matches('/');
        let arn = format!("arn:aws:ssm:{region}:{ACCOUNT}:parameter/{path}");
        let (versions, labels) = (Vec::new(), BTreeMap::new());
        Self { name: name.to_owned(), arn, versions, labels }
    }

    pub(super) fn put(&mut self, value: ParameterValue) -> u64 {
        let number = self.versions.last().map_or(1, |version| version.number + 1);
        self.versions.push(Version { number, value, changed: SystemTime::now() });
        number
    }

    /// Takes the newest version away, as a backend does that has forgotten it.
    pub fn roll_back(&mut self) {
        self.versions.pop();
    }

    /// Puts a label on a version.
    pub fn label(&mut self, version: u64, label: &str) {
        self.labels.insert(label.to_owned(), version);
    }

    /// By number, by label, or the newest.
    pub(super) fn selected(&self, selector: Option<&str>) -> Option<&Version> {
        let Some(selector) = selector else { return self.versions.last() };
        let number = self.labels.get(selector).copied().or_else(|| selector.parse().ok())?;
        self.versions.iter().find(|version| version.number == number)
    }
}

impl From<&str> for ParameterValue {
    fn from(text: &str) -> Self {
        Self::Secure(text.to_owned())
    }
}
