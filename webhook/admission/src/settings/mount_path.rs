//! Where the volume is mounted, and when two places are in each other's way.
//!
//! PURE.

use std::fmt;

use super::{ValueError, value};

/// Places of the agent's own container, or of the system, that a mount would hide.
const TAKEN: [&str; 5] = ["/var/run/secrets", "/mayfly-agent", "/proc", "/sys", "/dev"];

/// An absolute path in its shortest spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountPath(String);

impl MountPath {
    /// `/run/mayfly`.
    pub fn usual() -> Self {
        Self("/run/mayfly".to_owned())
    }

    pub(super) fn parse(text: &str) -> Result<Self, ValueError> {
        let path = text.trim();
        let bad_name = |name: &str| matches!(name, "" | "." | "..");
        let bad = |character: char| character.is_control() || matches!(character, ':' | '\\' | '$');
        let names = path.strip_prefix('/').map(|names| names.split('/').any(bad_name));
        if names != Some(false) || path.contains(bad) || path.len() > 512 {
            return Err(value::form(
                text,
                "an absolute path below `/`, such as `/run/mayfly`, without `.`, `..`, `:`, `$` or a trailing `/`",
            ));
        }
        if TAKEN.iter().any(|taken| overlap(path, taken)) {
            return Err(value::form(
                text,
                "a path beside /var/run/secrets, /mayfly-agent, /proc, /sys and /dev",
            ));
        }
        Ok(Self(path.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether one path is the other, or lies above it; also when `/var/run` is the usual link to `/run`.
pub fn overlap(left: &str, right: &str) -> bool {
    let (left, right) = (names(left), names(right));
    is_start(&left, &right) || is_start(linked(&left), linked(&right))
}

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !matches!(*name, "" | ".")).collect()
}

fn linked<'a, 'b>(names: &'a [&'b str]) -> &'a [&'b str] {
    if names.starts_with(&["var", "run"]) { &names[1..] } else { names }
}

fn is_start(left: &[&str], right: &[&str]) -> bool {
    left.iter().zip(right).all(|(left, right)| left == right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clean_absolute_paths_are_taken() {
        assert_eq!(MountPath::parse("/secrets").expect("a path").as_str(), "/secrets");
        for path in [
            "",
            "/",
            "run",
            "/a/",
            "/a//b",
            "/a/../b",
            "/a/.",
            "/a:b",
            "/a\nb",
            "/$(X)",
            "/proc/x",
            "/var",
            "/var/run/secrets",
            "/run/secrets/x",
            "/mayfly-agent",
            "/dev",
        ] {
            MountPath::parse(path).expect_err(path);
        }
    }

    #[test]
    fn paths_overlap_when_one_lies_in_the_other() {
        assert!(overlap("/run", "/run/mayfly"));
        assert!(overlap("/run/mayfly/x", "/run/mayfly"));
        assert!(overlap("/var/run/", "/run/mayfly"));
        assert!(overlap("/", "/run/mayfly"));
        assert!(overlap("/var", "/var/run/mayfly"));
        assert!(!overlap("/run/mayfly2", "/run/mayfly"));
        assert!(!overlap("/run/secrets", "/run/mayfly"));
    }
}
