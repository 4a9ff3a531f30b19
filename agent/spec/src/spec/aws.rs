//! How AWS is reached, and as whom.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Ca;

/// The `aws` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Aws {
    /// The region of references that name none; absent, the one that EKS's webhook gave to the
    /// agent's container, or outside a pod the usual chain's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Which proof of identity is shown.
    #[serde(default)]
    pub identity: Identity,
    /// The role that a web identity is exchanged for; absent, the one that EKS's webhook gave to
    /// the agent's container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The web identity's token, read anew for every exchange; absent, as with `role-arn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Regions that stand in for `region` while it is down, the first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failover_regions: Vec<String>,
    /// Whether only endpoints with validated cryptography are asked (FIPS 140).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fips: bool,
    /// Whether the endpoints are asked that have IPv6 addresses too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dual_stack: bool,
    /// The URL of the proxy to AWS; the environment's is not heeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// A URL that stands in for every service's own; `{region}` in it is the region that is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// A URL that stands in for STS's own, before `endpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sts_endpoint: Option<String>,
    /// Certificate authorities instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Ca>,
}

/// Which proof of identity AWS is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The usual chain of a laptop (environment, profile, …); refused in a pod.
    #[default]
    Default,
    /// IAM roles for service accounts: a projected token exchanged at STS.
    Irsa,
    /// EKS Pod Identity: a projected token exchanged at the node's agent, as EKS's webhook says in
    /// the container's environment.
    PodIdentity,
}
