//! What nobody adds to the agent's container unless the operator says so: variables that the agent or a library below
//! it reads, and places that they read.
//!
//! PURE. Names the effects, not the senders: whatever is not here does nothing to the agent.

use super::container::PROGRAM;
use crate::settings::overlap;

/// What is ours alone, whatever the operator says.
pub(super) const OURS: &str = "MAYFLY_";

/// Beginnings of variables that are read: by the agent, AWS' SDK, the language's and the C library's run time, and the
/// resolver of names.
const PREFIXES: [&str; 8] =
    [OURS, "AWS_", "GLIBC_", "LD_", "MALLOC_", "RUST_", "TOKIO_", "KUBERNETES_"];
/// Such variables by their whole names.
const VARIABLES: [&str; 9] = [
    "GCONV_PATH",
    "GETCONF_DIR",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "LOCPATH",
    "NIS_PATH",
    "NLSPATH",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
];

/// Places that stay as the image and the kubelet made them, whatever the operator says.
const FIXED: [&str; 4] = [PROGRAM, "/proc", "/sys", "/dev"];

/// Places from which the agent, or a library below it, reads what it believes: certificates, how names are resolved,
/// who is who, libraries, the tokens of EKS.
const PLACES: [&str; 28] = [
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/networks",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/var/lib/ca-certificates",
];

/// Whether the agent, or what is below it, reads the variable `name`.
pub(super) fn is_read(name: &str) -> bool {
    VARIABLES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a variable that begins with `prefix` could be one that is read.
pub(super) fn may_be_read(prefix: &str) -> bool {
    PREFIXES.iter().any(|read| read.starts_with(prefix) || prefix.starts_with(read))
        || VARIABLES.iter().any(|read| read.starts_with(prefix))
}

/// Whether a mount at `path` would hide what nobody may hide.
pub(super) fn is_fixed(path: &str) -> bool {
    FIXED.iter().any(|fixed| overlap(path, fixed))
}

/// Whether a mount at `path` would hide something that the agent believes.
pub(super) fn is_believed(path: &str) -> bool {
    PLACES.iter().any(|place| overlap(path, place))
}
