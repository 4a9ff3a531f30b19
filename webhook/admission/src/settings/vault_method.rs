//! The ways to log in to Vault that a pod has by itself: as its service account, or as its AWS role.
//!
//! PURE. Those that need something that was handed out before are for machines outside pods.

use mayfly_spec::spec::{DEFAULT_AWS_MOUNT, DEFAULT_JWT_MOUNT, DEFAULT_KUBERNETES_MOUNT};
use serde::Serialize;

/// An auth method of Vault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VaultMethod {
    /// Vault has the API server review the pod's token.
    #[default]
    Kubernetes,
    /// Vault verifies the pod's token by the cluster's keys.
    Jwt,
    /// Vault has STS look at a request that the pod's AWS role has signed.
    Aws,
}

impl VaultMethod {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Kubernetes, Self::Jwt, Self::Aws];

    /// The annotation's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Jwt => "jwt",
            Self::Aws => "aws",
        }
    }

    /// Where it is mounted unless said otherwise.
    pub const fn mount(self) -> &'static str {
        match self {
            Self::Kubernetes => DEFAULT_KUBERNETES_MOUNT,
            Self::Jwt => DEFAULT_JWT_MOUNT,
            Self::Aws => DEFAULT_AWS_MOUNT,
        }
    }
}
