//! The names by which the agent is known in a pod: its container, its volumes, its places.
//!
//! PURE.

/// The container's name.
pub const CONTAINER: &str = "mayfly-agent";
/// The variable that holds the agent's configuration.
pub const CONFIG_VARIABLE: &str = "MAYFLY_CONFIG";

/// The files: in memory, written by the agent, read by the chosen containers.
pub const SECRETS_VOLUME: &str = "mayfly-secrets";
/// What must survive the agent's own restart: in memory, mounted only in the agent.
pub const STATE_VOLUME: &str = "mayfly-state";
/// The pod's tokens for the backends, mounted only in the agent.
pub const IDENTITY_VOLUME: &str = "mayfly-identity";

/// Where the agent keeps its state: over the API server's token, which then is not mounted there.
pub(crate) const STATE_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Where the agent finds its tokens.
pub(crate) const TOKENS_PATH: &str = "/var/run/secrets/mayfly.dev";
