//! Where something is in Vault: paths, mounts, namespaces, engines.
//!
//! A `.` or `..` in a path is taken by HTTP for a way up, so that another secret would be read than
//! the one that is written; it is refused, as is an empty name.

use super::super::ReferenceError;

/// Mount and path, without the leading `/`.
pub(super) fn path(path: &str) -> Result<String, ReferenceError> {
    let path = path.trim_start_matches('/');
    match bad_name(path) {
        Some(name) => Err(ReferenceError::VaultName(path.to_owned(), name.to_owned())),
        None => Ok(path.to_owned()),
    }
}

/// The mount that `path` begins with, without its outer `/`.
pub(super) fn mount(value: Option<String>, path: &str) -> Result<Option<String>, ReferenceError> {
    let Some(value) = value else { return Ok(None) };
    let mount = value.trim_matches('/');
    let is_above = path.strip_prefix(mount).is_some_and(|below| below.starts_with('/'));
    if !mount.is_empty() && is_above {
        return Ok(Some(mount.to_owned()));
    }
    let allowed = "the beginning of the path, up to a `/`";
    Err(ReferenceError::OptionValue { option: "mount", value, allowed })
}

/// A namespace, whole, without its outer `/`.
pub(super) fn namespace(
    option: &'static str,
    value: Option<String>,
) -> Result<Option<String>, ReferenceError> {
    let Some(value) = value else { return Ok(None) };
    let namespace = value.trim_matches('/');
    // It is sent as a header.
    let is_sendable = namespace.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let is_trimmed = namespace.trim() == namespace;
    if bad_name(namespace).is_none() && is_sendable && is_trimmed {
        return Ok(Some(namespace.to_owned()));
    }
    let allowed =
        "the whole path of a namespace, as in `team/web`, without `.`, `..` or empty names";
    Err(ReferenceError::OptionValue { option, value, allowed })
}

/// An engine's type, as `vault secrets list` has it.
pub(super) fn engine(
    option: &'static str,
    value: Option<String>,
) -> Result<Option<String>, ReferenceError> {
    let is_part = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    let allowed = match value.as_deref() {
        Some("kv" | "generic" | "cubbyhole") => {
            "the type of an engine that is no key-value store; for those say `kv=1` or `kv=2`"
        }
        Some(engine) if !engine.bytes().all(is_part) => {
            "an engine's type as `vault secrets list` has it, for example `database`"
        }
        _ => return Ok(value),
    };
    Err(ReferenceError::OptionValue { option, value: value.unwrap_or_default(), allowed })
}

/// The first name that cannot be one.
fn bad_name(path: &str) -> Option<&str> {
    path.split('/').find(|name| matches!(*name, "" | "." | ".."))
}
