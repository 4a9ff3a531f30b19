//! The ways in which a pod takes secrets without Mayfly.
//!
//! PURE.

use std::fmt;

use serde_json::Value;

use mayfly_admission::pod::{items, text};

/// The driver of the Secrets Store.
const DRIVER: &str = "secrets-store.csi.k8s.io";

/// One way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    /// A variable with the value of a Secret's key.
    Variable { name: String, secret: String, key: String },
    /// A variable for each key of a Secret.
    Variables { secret: String },
    /// A volume with a Secret's files, at a path of a container; `items` when only some.
    Volume { secret: String, path: Option<String>, items: Vec<(String, String)> },
    /// A volume of the Secrets Store.
    ProviderClass { class: String, path: Option<String> },
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |path: &Option<String>| path.clone().unwrap_or_else(|| "nowhere".to_owned());
        match self {
            Self::Variable { name, secret, key } => {
                write!(f, "the variable {name}, from the Secret `{secret}`, key `{key}`")
            }
            Self::Variables { secret } => {
                write!(f, "variables for all keys of the Secret `{secret}`")
            }
            Self::Volume { secret, path, .. } => {
                write!(f, "the Secret `{secret}` at {}", at(path))
            }
            Self::ProviderClass { class, path } => {
                write!(f, "the SecretProviderClass `{class}` at {}", at(path))
            }
        }
    }
}

/// All ways of one pod, each once.
#[derive(Debug, Default)]
pub(super) struct Uses(pub(super) Vec<Use>);

impl Uses {
    pub(super) fn of(pod: &Value) -> Self {
        let spec = pod.get("spec").unwrap_or(&Value::Null);
        let mut uses = Self::default();
        let containers: Vec<&Value> =
            ["initContainers", "containers"].iter().flat_map(|list| items(spec, list)).collect();
        for container in &containers {
            uses.variables(container);
        }
        for volume in items(spec, "volumes") {
            uses.volume(volume, &containers);
        }
        uses
    }

    fn variables(&mut self, container: &Value) {
        for variable in items(container, "env") {
            if let Some(key) = variable.pointer("/valueFrom/secretKeyRef") {
                let [secret, key] = ["name", "key"].map(|field| text(key, field).to_owned());
                self.push(Use::Variable { name: text(variable, "name").to_owned(), secret, key });
            }
        }
        for source in items(container, "envFrom") {
            if let Some(secret) = source.get("secretRef") {
                self.push(Use::Variables { secret: text(secret, "name").to_owned() });
            }
        }
    }

    fn volume(&mut self, volume: &Value, containers: &[&Value]) {
        let name = text(volume, "name");
        let mounts = containers.iter().flat_map(|container| items(container, "volumeMounts"));
        let path = mounts
            .filter(|mount| text(mount, "name") == name)
            .map(|mount| text(mount, "mountPath").to_owned())
            .next();
        if let Some(csi) = volume.get("csi").filter(|csi| text(csi, "driver") == DRIVER) {
            let attributes = csi.get("volumeAttributes").unwrap_or(&Value::Null);
            let class = text(attributes, "secretProviderClass").to_owned();
            self.push(Use::ProviderClass { class, path: path.clone() });
        }
        let projected = volume.get("projected").map_or(&[][..], |volume| items(volume, "sources"));
        let projected = projected.iter().filter_map(|source| source.get("secret"));
        let direct = volume.get("secret").into_iter();
        for secret in direct.chain(projected) {
            // A volume's Secret is `secretName`, a projection's `name`.
            let names = [text(secret, "secretName"), text(secret, "name")];
            let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
            let pair = |item: &Value| ["key", "path"].map(|field| text(item, field).to_owned());
            let items = items(secret, "items").iter().map(pair).map(|[key, path]| (key, path));
            let items = items.collect();
            self.push(Use::Volume { secret: name.to_owned(), path: path.clone(), items });
        }
    }

    fn push(&mut self, used: Use) {
        if !self.0.contains(&used) {
            self.0.push(used);
        }
    }
}
