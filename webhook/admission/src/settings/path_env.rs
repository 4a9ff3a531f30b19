//! `path-env`: environment variables that name a file's path, never its value.
//!
//! PURE.

use super::{ValueError, value};
use crate::bounds;

/// One variable and the file below the mount path that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathEnv {
    /// The variable's name.
    pub variable: String,
    /// The file's or directory's path.
    pub path: String,
}

impl PathEnv {
    pub(super) fn parse_list(text: &str) -> Result<Vec<Self>, ValueError> {
        if text.split(',').count() > bounds::VARIABLES {
            return Err(value::form(text, "at most 2000 variables"));
        }
        text.split(',')
            .map(|pair| Self::parse(pair.trim()).ok_or_else(|| {
                value::form(text, "`VARIABLE=<file>` pairs, parted by commas, such as `DB_PASSWORD_FILE=db-password`")
            }))
            .collect()
    }

    fn parse(pair: &str) -> Option<Self> {
        let (variable, path) = pair.split_once('=')?;
        let (variable, path) = (variable.trim(), path.trim());
        let mut bytes = variable.bytes();
        let first = bytes.next()?;
        let is_name = (first.is_ascii_alphabetic() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (is_name && !path.is_empty())
            .then(|| Self { variable: variable.to_owned(), path: path.to_owned() })
    }
}
