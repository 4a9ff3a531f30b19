//! What other webhooks, and the API server, may add to our container without our minding.
//!
//! PURE. A fixed list: whatever is not on it makes the container somebody else's.

use crate::reach::{EKS_VOLUME, POD_IDENTITY_VOLUME};

/// Variables: EKS's two identity webhooks, AKS's API server address, proxies (which the agent does
/// not heed), and telemetry that is added to every container.
const VARIABLES: [&str; 14] = [
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HOST_IP",
];
const VARIABLE_PREFIXES: [&str; 4] = ["DD_", "ELASTIC_", "KUBERNETES_", "OTEL_"];

/// Volumes: EKS's two, the API token (if its place is free), Datadog's socket.
const VOLUMES: [&str; 3] = [EKS_VOLUME, POD_IDENTITY_VOLUME, "datadog"];
const VOLUME_PREFIXES: [&str; 1] = ["kube-api-access-"];

/// Members of a container that the API server fills in.
const MEMBERS: [&str; 1] = ["resizePolicy"];

/// Members of a security context that cluster-wide policies add, and that only take away.
const SECURITY: [&str; 2] = ["appArmorProfile", "seLinuxOptions"];

pub(super) fn variable(name: &str) -> bool {
    VARIABLES.contains(&name) || VARIABLE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

pub(super) fn volume(name: &str) -> bool {
    VOLUMES.contains(&name) || VOLUME_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether the volume is of one of EKS's two identity webhooks, which alone choose where it is.
pub(super) fn is_eks(name: &str) -> bool {
    [EKS_VOLUME, POD_IDENTITY_VOLUME].contains(&name)
}

pub(super) fn member(name: &str) -> bool {
    MEMBERS.contains(&name)
}

pub(super) fn security(name: &str) -> bool {
    SECURITY.contains(&name)
}
