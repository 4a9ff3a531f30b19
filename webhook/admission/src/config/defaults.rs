//! What holds where a pod has no annotation, as the operator chose it: for everybody alike, or made of the pod's own
//! names.
//!
//! PURE.

use std::collections::BTreeMap;

use serde_json::json;

use super::DefaultError;
use crate::{
    policy::{Namespace, Pattern, Subject},
    settings::{Annotation, Settings, ValueError},
};

/// Values of annotations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Those that are the same for everybody.
    pub fixed: Settings,
    /// Those in which placeholders stand for the pod's names.
    named: BTreeMap<Annotation, Pattern>,
}

impl Defaults {
    /// Takes the value of one annotation, if some pod could have it.
    pub(super) fn put(&mut self, name: Annotation, text: &str) -> Result<(), DefaultError> {
        if !text.contains(['{', '}']) {
            return Ok(self.fixed.set(name, text)?);
        }
        if !name.takes_names() {
            return Err(DefaultError::NoPlaceholders);
        }
        let pattern: Pattern = text.parse()?;
        if !pattern.is_definite() {
            return Err(DefaultError::Wildcard);
        }
        let namespace = Namespace::named("namespace");
        let pod = json!({"spec": {"serviceAccountName": "service-account"}});
        let example = pattern.shown(&Subject::new(&namespace, &pod));
        Settings::default().set(name, &example)?;
        self.named.insert(name, pattern);
        Ok(())
    }

    /// What they are for `subject`, and which of them cannot be.
    pub(super) fn of(&self, subject: &Subject<'_>) -> (Settings, Vec<(Annotation, ValueError)>) {
        let (mut settings, mut faults) = (self.fixed.clone(), Vec::new());
        for (name, pattern) in &self.named {
            let set =
                plain_names(subject).and_then(|()| settings.set(*name, &pattern.shown(subject)));
            faults.extend(set.err().map(|error| (*name, error)));
        }
        (settings, faults)
    }
}

/// Refuses names that Kubernetes would refuse later: a `/` in one would be a step to somewhere else.
fn plain_names(subject: &Subject<'_>) -> Result<(), ValueError> {
    let names = [subject.namespace.name.as_str(), subject.service_account()];
    match names.into_iter().find(|name| !is_plain(name)) {
        Some(name) => {
            let allowed = "a name of Kubernetes for the pod's namespace and service account";
            Err(ValueError::Form { value: name.to_owned(), allowed })
        }
        None => Ok(()),
    }
}

fn is_plain(name: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}
