//! Names that cannot leave the directory.
//!
//! The rules are those of the kubelet's own volumes (no absolute path, no `..`, no name beginning
//! with `..`, 255 bytes a name, 4096 a path), and no character that a shell or a log would trip over.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name that Linux's file systems take, in bytes.
const LONGEST_NAME: usize = 255;
/// The longest path, in bytes; below Linux's 4096, so that the directory before it fits too.
const LONGEST_PATH: usize = 3072;
/// The agent's own file beside the secrets.
pub(crate) const STATUS_FILE: &str = "status.json";

/// A relative path below the secrets' directory: `db-password`, `tls/tls.crt`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

/// A path that could leave the directory, or could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PathError {
    /// Nothing at all.
    #[error("a file's path may not be empty")]
    Empty,
    /// It begins with `/`.
    #[error("`{0}` begins with `/`; paths are relative to the secrets' directory")]
    Absolute(String),
    /// An empty name between two `/`, or after the last.
    #[error("`{0}` has an empty name; write `a/b`, without a doubled or trailing `/`")]
    EmptyName(String),
    /// `.`, `..`, or a name that begins with `..`.
    #[error("`{0}` has the name `{1}`; a name may be neither `.` nor begin with `..`")]
    Dots(String, String),
    /// A control character or a backslash.
    #[error("`{0}` has the character `{1}`; backslashes and control characters are not allowed")]
    Character(String, String),
    /// Longer than the file system takes.
    #[error("`{start}…` is {bytes} bytes long; a name has at most 255, a path at most 3072")]
    Long {
        /// How it begins.
        start: String,
        /// How long it is.
        bytes: usize,
    },
    /// The agent's own file.
    #[error("`{0}` is the agent's own file; choose another name")]
    Reserved(String),
}

impl FilePath {
    /// The path's names, of which there is at least one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The first name: what is visible in the secrets' directory itself.
    pub fn top(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// The last name.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path of `name` below this one; `name` may itself hold `/`. What is the agent's own is so
    /// only beside the secrets, not below.
    pub fn join(&self, name: &str) -> Result<Self, PathError> {
        match name.parse::<Self>() {
            Ok(_) | Err(PathError::Reserved(_)) => format!("{self}/{name}").parse(),
            Err(error) => Err(error),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FilePath {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        refuse_shape(path)?;
        path.split('/').try_for_each(|name| refuse_name(path, name))?;
        Ok(Self(path.to_owned()))
    }
}

fn refuse_shape(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.len() > LONGEST_PATH {
        return Err(too_long(path));
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute(path.to_owned()));
    }
    if path.eq_ignore_ascii_case(STATUS_FILE) {
        return Err(PathError::Reserved(path.to_owned()));
    }
    Ok(())
}

fn refuse_name(path: &str, name: &str) -> Result<(), PathError> {
    let forbidden = |character: &char| character.is_control() || *character == '\\';
    if name.is_empty() {
        return Err(PathError::EmptyName(path.to_owned()));
    }
    if name == "." || name.starts_with("..") {
        return Err(PathError::Dots(path.to_owned(), name.to_owned()));
    }
    if name.len() > LONGEST_NAME {
        return Err(too_long(name));
    }
    if let Some(character) = name.chars().find(forbidden) {
        let printable = path.escape_debug().to_string();
        return Err(PathError::Character(printable, character.escape_debug().to_string()));
    }
    Ok(())
}

fn too_long(text: &str) -> PathError {
    PathError::Long { start: text.chars().take(32).collect(), bytes: text.len() }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FilePath {
    type Error = PathError;

    fn try_from(path: String) -> Result<Self, PathError> {
        path.parse()
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_are_kept() {
        for path in ["db-password", "tls/tls.crt", ".env", "a b", "größe", "STATUS.d/status.json"]
        {
            assert_eq!(path.parse::<FilePath>().expect(path).as_str(), path);
        }
    }

    #[test]
    fn names_that_could_leave_the_directory_are_refused() {
        let long = "x".repeat(256);
        let deep = "x/".repeat(2000) + "x";
        for path in [
            "",
            "/",
            "/x",
            "../x",
            "a/../../x",
            "a/..",
            ".",
            "a/./b",
            "..data",
            "..2026",
            "a/..b",
            "a//b",
            "a/",
            "a\\b",
            "a\0b",
            "a\nb",
            "status.json",
            "Status.JSON",
            &long,
            &deep,
        ] {
            path.parse::<FilePath>().expect_err(path);
        }
    }

    #[test]
    fn a_joined_name_is_checked_like_any_other() {
        let directory: FilePath = "certs".parse().expect("a plain name");
        assert_eq!(directory.join("a/b").expect("a plain path").as_str(), "certs/a/b");
        assert_eq!(directory.join("status.json").expect("it").as_str(), "certs/status.json");
        for name in ["..", "../x", "/etc", ""] {
            directory.join(name).expect_err(name);
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_inside(path in "[a./\\PC]{0,20}") {
            if let Ok(path) = path.parse::<FilePath>() {
                let inside = std::path::Path::new(path.as_str())
                    .components()
                    .all(|component| matches!(component, std::path::Component::Normal(_)));
                prop_assert!(inside);
            }
        }
    }
}
