//! The operator's configuration: the agent's image, defaults, what authors may choose from.
//!
//! PURE: from text to a type that cannot be wrong; the file is read in [`crate::offline`] and
//! [`crate::serving`]. Knows nothing of pods.

mod file;

use std::collections::BTreeSet;

use mayfly_spec::spec::Interval;
use thiserror::Error;

use crate::annotations::{Annotation, Settings, ValueError, VaultAddress};

/// Containers of service meshes, by the names that their injectors give them.
pub const MESH_SIDECARS: [&str; 6] = [
    "istio-proxy",
    "istio-init",
    "istio-validation",
    "linkerd-proxy",
    "linkerd-init",
    "linkerd-network-validator",
];

/// What a pod may not ask for more often than, unless the operator says otherwise: a backend's bill
/// and its rate limit are the operator's.
const REFRESH_FLOOR: Interval = Interval::from_secs(10);

/// The operator's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The agent's image.
    pub agent_image: String,
    /// When the kubelet pulls it.
    pub pull_policy: PullPolicy,
    /// What holds where a pod has no annotation.
    pub defaults: Settings,
    /// How Vault is reached.
    pub vault: VaultPolicy,
    /// How AWS is reached.
    pub aws: AwsStandIns,
    /// The shortest `refresh` that a pod may ask for.
    pub refresh_floor: Interval,
    /// Mesh sidecars beside [`MESH_SIDECARS`].
    pub mesh_sidecars: BTreeSet<String>,
}

/// The addresses that a pod may choose from, and how their certificates are checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VaultPolicy {
    /// The addresses beside the default one.
    pub addresses: BTreeSet<VaultAddress>,
    /// Certificate authorities instead of the system's, in PEM.
    pub ca: Option<String>,
}

/// How AWS is reached: by which of its own endpoints, or by URLs and certificate authorities that stand in for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsStandIns {
    /// Every service's URL.
    pub endpoint: Option<String>,
    /// STS's URL, before `endpoint`.
    pub sts_endpoint: Option<String>,
    /// Whether only endpoints with validated cryptography are asked.
    pub fips: bool,
    /// Whether the endpoints are asked that have IPv6 addresses too.
    pub dual_stack: bool,
    /// The proxy's URL.
    pub proxy: Option<String>,
    /// Certificate authorities instead of the system's, in PEM.
    pub ca: Option<String>,
}

/// When the kubelet pulls an image; Kubernetes' own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum PullPolicy {
    /// At every start.
    Always,
    /// When the node does not have it.
    IfNotPresent,
    /// Never.
    Never,
}

impl PullPolicy {
    /// Kubernetes' word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// A configuration that cannot be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not YAML, or a field that there is not.
    #[error("{0}")]
    Yaml(String),
    /// A default for something that has none.
    #[error("`defaults.{0}` is no annotation that can have a default{1}")]
    NoDefault(String, mayfly_spec::suggestion::Suggestion),
    /// A default that no pod could ask for.
    #[error("`defaults.{0}`: {1}")]
    Default(&'static str, ValueError),
    /// An address that is none.
    #[error("`{0}`: {1}")]
    Address(&'static str, ValueError),
    /// A default below the operator's own floor.
    #[error("`defaults.refresh` is shorter than `refresh-floor`")]
    Floor,
    /// Not PEM.
    #[error("`{0}` has no `-----BEGIN CERTIFICATE-----`; give PEM text")]
    Pem(&'static str),
    /// An image that is none.
    #[error("`agent.image` may not be empty")]
    Image,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            agent_image: format!("mayfly-agent:{}", env!("CARGO_PKG_VERSION")),
            pull_policy: PullPolicy::IfNotPresent,
            defaults: Settings::default(),
            vault: VaultPolicy::default(),
            aws: AwsStandIns::default(),
            refresh_floor: REFRESH_FLOOR,
            mesh_sidecars: BTreeSet::new(),
        }
    }
}

impl Config {
    /// Reads the operator's YAML; an unknown field is an error that names it.
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        file::parse(text)
    }

    /// Whether a pod may send its token to `address`.
    pub fn allows(&self, address: &VaultAddress) -> bool {
        self.vault.addresses.contains(address)
            || self.defaults.vault_address.as_ref() == Some(address)
    }

    /// Every address that a pod may choose, for its author to read.
    pub fn allowed_addresses(&self) -> String {
        let default = self.defaults.vault_address.iter();
        let all: BTreeSet<&str> =
            default.chain(&self.vault.addresses).map(VaultAddress::as_str).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// Whether a container of this name belongs to a service mesh.
    pub fn is_mesh_sidecar(&self, name: &str) -> bool {
        MESH_SIDECARS.contains(&name) || self.mesh_sidecars.contains(name)
    }
}

/// The names of annotations that can have a default.
fn defaultable() -> impl Iterator<Item = &'static str> {
    Annotation::ALL.into_iter().filter(|name| name.has_default()).map(Annotation::suffix)
}

#[cfg(test)]
mod tests;
