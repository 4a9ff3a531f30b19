//! How a whole secret, or a part of one, becomes a file's bytes.

use serde::{Deserialize, Serialize};

use super::FilePath;

/// The form of a file that holds a whole secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The secret's own bytes.
    Raw,
    /// A JSON object.
    Json,
    /// A YAML mapping.
    Yaml,
    /// A TOML table.
    Toml,
    /// `NAME='value'` lines, as each [`super::Dialect`] wants them.
    Dotenv,
    /// Lines that a POSIX shell sources: `dotenv` in the dialect `sh`.
    Shell,
    /// What Kubernetes' `fileKeyRef` reads: `dotenv` in the dialect `kubernetes`.
    EnvFile,
    /// Java's `name=value` lines.
    Properties,
    /// The PEM blocks of some keys, one after the other.
    Pem,
}

impl Format {
    /// The format that a file's name asks for: by its ending, else [`Format::Raw`].
    pub fn of(path: &FilePath) -> Self {
        let ending = path.file_name().rsplit_once('.').map(|(_, ending)| ending);
        match ending.unwrap_or_default() {
            "json" => Self::Json,
            "yaml" | "yml" => Self::Yaml,
            "toml" => Self::Toml,
            "env" => Self::Dotenv,
            "properties" => Self::Properties,
            _ => Self::Raw,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_the_name_decides() {
        let of = |path: &str| Format::of(&path.parse().expect(path));
        assert_eq!(of("api.json"), Format::Json);
        assert_eq!(of(".env"), Format::Dotenv);
        assert_eq!(of("conf.d/app.yaml"), Format::Yaml);
        assert_eq!(of("json"), Format::Raw);
        assert_eq!(of("a.json/password"), Format::Raw);
    }
}
