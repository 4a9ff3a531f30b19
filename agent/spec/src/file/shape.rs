//! What happens to a secret's values on their way into a file.

use serde::{Deserialize, Serialize};

use super::{Dialect, Keys};

/// What an entry asks for between the secret and the file's format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// The keys to take, in this order and by which names; empty takes all as they are.
    pub keys: Keys,
    /// Whom a `.env` file is for.
    pub dialect: Option<Dialect>,
    /// How each value is encoded in the secret.
    pub decode: Option<Decode>,
    /// What is cut from the end of each value, after it is decoded.
    pub trim: Option<Trim>,
}

/// How a value is encoded in the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decode {
    /// Base64 of either alphabet, with or without padding and line breaks.
    Base64,
}

/// What is cut from the end of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trim {
    /// One line break, as `echo` leaves it.
    Newline,
}
