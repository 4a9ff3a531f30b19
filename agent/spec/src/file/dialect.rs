//! Which program will read a `.env` file: they disagree about quotes, backslashes and `$`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The readers of a `.env` file that it is written for.
///
/// # Design
/// Without a dialect each value has a form that all of them read alike, or is refused. With one, a
/// value is refused only if that reader has no form for it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// All of those below, except that [`Dialect::Kubernetes`] does without values that hold a `'`.
    #[default]
    Common,
    /// Node's package dotenv and its own `--env-file`.
    Node,
    /// python-dotenv, with its interpolation on, as it is by default.
    Python,
    /// godotenv.
    Go,
    /// Compose's `env_file`, by compose-go.
    Compose,
    /// systemd's `EnvironmentFile=`.
    Systemd,
    /// A POSIX shell that sources the file.
    Sh,
    /// Kubernetes' `fileKeyRef`.
    Kubernetes,
}

impl Dialect {
    /// Those that stand for one reader.
    pub const ONE_READER: [Self; 7] = [
        Self::Node,
        Self::Python,
        Self::Go,
        Self::Compose,
        Self::Systemd,
        Self::Sh,
        Self::Kubernetes,
    ];

    /// The word for it in an entry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
            Self::Compose => "compose",
            Self::Systemd => "systemd",
            Self::Sh => "sh",
            Self::Kubernetes => "kubernetes",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_written_by_its_name() {
        for dialect in Dialect::ONE_READER.into_iter().chain([Dialect::Common]) {
            let word = serde_json::to_value(dialect).expect("a word");
            assert_eq!(word, dialect.to_string());
            assert_eq!(serde_json::from_value::<Dialect>(word).expect("a dialect"), dialect);
        }
    }
}
