//! The operator's configuration: the agent's image, defaults, what authors may choose from.
//!
//! PURE: from text to a type that cannot be wrong; whoever has the file reads it. Knows
//! nothing of pods.

mod additions;
mod chosen;
mod defaults;
mod doubts;
mod file;
mod image;

use std::collections::BTreeSet;

use mayfly_spec::spec::Interval;
use thiserror::Error;

use crate::{
    fault::quote,
    policy::{PatternError, Policy, Selector, Subject},
    settings::{Settings, ValueError, VaultAddress},
};
pub use additions::{Additions, Names};
pub use chosen::Chosen;
pub use defaults::Defaults;

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

/// The agent's user and group where nobody says others.
pub(crate) const NOBODY: u32 = 65532;

/// The operator's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The agent's image.
    pub agent_image: String,
    /// Where it lies besides.
    pub image_mirrors: BTreeSet<String>,
    /// When the kubelet pulls it.
    pub pull_policy: PullPolicy,
    /// As whom the agent runs where the pod's containers share no user; `None` is the cluster's to choose.
    pub agent_user: Option<u32>,
    /// What others may add to the agent's container.
    pub additions: Additions,
    /// What holds where a pod has no annotation.
    pub defaults: Defaults,
    /// How Vault is reached.
    pub vault: VaultPolicy,
    /// How AWS is reached.
    pub aws: AwsStandIns,
    /// The shortest `refresh` that a pod may ask for.
    pub refresh_floor: Interval,
    /// Mesh sidecars beside [`MESH_SIDECARS`].
    pub mesh_sidecars: BTreeSet<String>,
    /// Containers that see no files unless a pod names them; a `*` at the end stands for anything.
    pub containers_without_files: Vec<String>,
    /// More defaults for some pods; later ones are laid over earlier ones.
    pub overrides: Vec<Override>,
    /// Whether annotations of namespaces are defaults of their pods.
    pub namespace_annotations: bool,
    /// Who may ask for what.
    pub policy: Policy,
}

/// Defaults for some pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// What the operator calls it.
    pub name: String,
    /// For whom they are.
    pub selector: Selector,
    /// What holds for them where a pod has no annotation.
    pub defaults: Defaults,
}

/// The addresses that a pod may choose from, and how the servers there are known and know us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VaultPolicy {
    /// The addresses beside the default one.
    pub addresses: BTreeSet<VaultAddress>,
    /// Certificate authorities instead of the system's, in PEM.
    pub ca: Option<String>,
    /// The name that the servers' certificates are for, instead of the addresses' hosts.
    pub server_name: Option<String>,
    /// Whether any certificate is taken.
    pub skip_verify: bool,
    /// The region of the STS that Vault's AWS auth method asks; STS's global endpoint, if absent.
    pub sts_region: Option<String>,
    /// The auth method's `iam_server_id_header_value`.
    pub server_id: Option<String>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
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
    #[error("`{0}` is no annotation that can have a default{1}")]
    NoDefault(String, mayfly_spec::suggestion::Suggestion),
    /// A value that no pod could ask for.
    #[error("`{0}`: {1}")]
    Value(String, ValueError),
    /// A default that no pod could have.
    #[error("`{0}`: {1}")]
    Default(String, DefaultError),
    /// A default below the operator's own floor.
    #[error("`{0}` is shorter than `refresh-floor`")]
    Floor(String),
    /// A pattern that is none.
    #[error("`{0}`: {1}")]
    Pattern(String, PatternError),
    /// A pattern for references that no reference could match.
    #[error("`{0}`: {1}")]
    Reference(String, String),
    /// A label selector that Kubernetes would refuse.
    #[error("`{0}`: {1}")]
    Labels(String, String),
    /// A name that is none.
    #[error(
        "`{0}` is no name; write 1 to 63 lower-case letters, digits and `-`, beginning and ending with a letter or digit"
    )]
    Name(String),
    /// The same name twice.
    #[error("`{0}` is the name of an earlier one; give each its own")]
    Repeated(String),
    /// Not PEM.
    #[error("`{0}` has no `-----BEGIN CERTIFICATE-----`; give PEM text")]
    Pem(&'static str),
    /// An image that is none.
    #[error(
        "`agent.image`: `{}` is no image's name; write `[<host>[:<port>]/]<path>[:<tag>][@<digest>]`",
        quote(.0)
    )]
    Image(String),
}

/// A default that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DefaultError {
    /// A value that no pod could ask for.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A placeholder that there is not.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Placeholders where the pod's names make no value.
    #[error("takes no placeholders; write one value for all")]
    NoPlaceholders,
    /// A pattern for many values.
    #[error("a default is one value; leave `*` out, or the placeholders")]
    Wildcard,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            agent_image: format!("mayfly-agent:{}", env!("CARGO_PKG_VERSION")),
            image_mirrors: BTreeSet::new(),
            pull_policy: PullPolicy::IfNotPresent,
            agent_user: Some(NOBODY),
            additions: Additions::default(),
            defaults: Defaults::default(),
            vault: VaultPolicy::default(),
            aws: AwsStandIns::default(),
            refresh_floor: REFRESH_FLOOR,
            mesh_sidecars: BTreeSet::new(),
            containers_without_files: Vec::new(),
            overrides: Vec::new(),
            namespace_annotations: false,
            policy: Policy::default(),
        }
    }
}

impl Config {
    /// Reads the operator's YAML; an unknown field is an error that names it.
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        Self::check(text).map(|(config, _)| config)
    }

    /// The same, and what is legal in it and hardly meant.
    pub fn check(text: &str) -> Result<(Self, Vec<String>), ConfigError> {
        let (config, has_policy) = file::parse(text)?;
        let doubts = doubts::doubts(&config, has_policy);
        Ok((config, doubts))
    }

    /// The same with the agent's image `image`, if there is one.
    #[must_use]
    pub fn with_agent_image(self, image: Option<&str>) -> Self {
        let agent_image = image.map_or(self.agent_image, str::to_owned);
        Self { agent_image, ..self }
    }

    /// The JSON Schema of what [`Config::from_yaml`] reads.
    pub fn schema() -> schemars::Schema {
        file::schema()
    }

    /// Every address that a pod may send its token to, when `operator` is what the operator chose for it.
    pub fn addresses<'a>(&'a self, operator: &'a Settings) -> BTreeSet<&'a VaultAddress> {
        let defaults = self.defaults.fixed.vault_address.iter().chain(&operator.vault_address);
        defaults.chain(&self.vault.addresses).collect()
    }

    /// What the operator chose for `subject`: the defaults, and over them every override that is for it.
    pub fn defaults_for(&self, subject: &Subject<'_>) -> Chosen {
        Chosen::of(self, subject)
    }

    /// Whether more must be known of namespaces than their names.
    pub fn needs_namespaces(&self) -> bool {
        let rules = self.policy.rules.iter().map(|rule| &rule.selector);
        let mut selectors = rules.chain(self.overrides.iter().map(|one| &one.selector));
        self.namespace_annotations || selectors.any(Selector::needs_namespaces)
    }

    /// Whether a container of this name belongs to a service mesh.
    pub fn is_mesh_sidecar(&self, name: &str) -> bool {
        MESH_SIDECARS.contains(&name) || self.mesh_sidecars.contains(name)
    }

    /// Whether a container of this name sees files only if the pod says so.
    pub fn is_without_files(&self, name: &str) -> bool {
        self.containers_without_files.iter().any(|pattern| additions::is_meant(pattern, name))
    }
}

#[cfg(test)]
mod tests;
