//! What the operator chose for one pod.
//!
//! PURE.

use std::collections::BTreeMap;

use super::Config;
use crate::{
    policy::Subject,
    settings::{Annotation, Settings, ValueError},
};

/// The defaults, and over them every override that is for the pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// What holds where the pod, and its namespace, have no annotation.
    pub settings: Settings,
    /// What of it nothing but labels of the pod has brought, and the override's name: the choice of whoever created the
    /// pod.
    pub by_labels: BTreeMap<Annotation, String>,
    /// Defaults that cannot be made of this pod's names.
    pub faults: Vec<(Annotation, ValueError)>,
}

impl Chosen {
    pub(super) fn of(config: &Config, subject: &Subject<'_>) -> Self {
        let (settings, faults) = config.defaults.of(subject);
        let mut chosen = Self { settings, by_labels: BTreeMap::new(), faults };
        for one in config.overrides.iter().filter(|one| one.selector.selects(subject)) {
            let (settings, faults) = one.defaults.of(subject);
            chosen.lay(settings, one.selector.rests_on_pod_labels().then_some(&one.name));
            chosen.faults.extend(faults);
        }
        chosen
    }

    fn lay(&mut self, above: Settings, by_labels: Option<&String>) {
        for name in Annotation::ALL.into_iter().filter(|name| above.has(*name)) {
            match by_labels {
                Some(by) => drop(self.by_labels.insert(name, by.clone())),
                None => drop(self.by_labels.remove(&name)),
            }
        }
        self.settings = above.or(&self.settings);
    }
}
