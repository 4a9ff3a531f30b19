//! What a generation holds, without its values: what the agent remembers of what it has written.
//!
//! PURE. A file is known by a digest of its bytes, so that one which was changed on the volume, where
//! others may write, is never taken for the agent's own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use mayfly_spec::{FilePath, file::FileMode};
use serde::{Deserialize, Serialize};

use crate::{
    digest,
    render::{DesiredFile, DesiredFiles},
};

/// A generation that the agent has written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// Its directory; none before the first.
    pub name: Option<GenerationName>,
    /// Every file in it.
    pub files: BTreeMap<FilePath, Mark>,
    /// Directories that are wanted even if nothing lies in them.
    pub directories: BTreeSet<FilePath>,
}

/// What one file of the agent's is known by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Mark {
    /// Of its bytes.
    pub digest: String,
    /// Its permission bits.
    pub mode: FileMode,
}

/// A generation that is to be: what is made anew, and what stays as it is.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Every file.
    pub files: BTreeMap<FilePath, WantedFile>,
    /// Directories that are wanted even if nothing lies in them.
    pub directories: BTreeSet<FilePath>,
}

/// One file of it.
#[derive(Debug)]
pub enum WantedFile {
    /// These bytes.
    Made(DesiredFile),
    /// As it is in the present generation.
    Kept(Mark),
}

/// A generation's directory: `..<number>-<eight random hexadecimal digits>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct GenerationName {
    /// Which generation it is, from 1.
    pub number: u64,
    salt: u32,
}

impl Manifest {
    /// The generation's number; 0 before the first.
    pub fn number(&self) -> u64 {
        self.name.map_or(0, |name| name.number)
    }

    /// The same generation, wanted as it is.
    pub fn as_wanted(&self) -> Wanted {
        let kept =
            |(path, mark): (&FilePath, &Mark)| (path.clone(), WantedFile::Kept(mark.clone()));
        Wanted {
            files: self.files.iter().map(kept).collect(),
            directories: self.directories.clone(),
        }
    }
}

impl Mark {
    /// What a file of these bytes is known by.
    pub fn of(bytes: &[u8], mode: FileMode) -> Self {
        Self { digest: digest::hex(bytes, 64), mode }
    }
}

impl Wanted {
    /// The names that are visible in the secrets' directory itself.
    pub fn tops(&self) -> BTreeSet<&str> {
        self.files.keys().chain(&self.directories).map(FilePath::top).collect()
    }

    /// What it will be known by, as `name`.
    pub fn manifest(&self, name: GenerationName) -> Manifest {
        let mark = |(path, file): (&FilePath, &WantedFile)| (path.clone(), file.mark());
        Manifest {
            name: Some(name),
            files: self.files.iter().map(mark).collect(),
            directories: self.directories.clone(),
        }
    }

    /// Adds what `other` wants.
    pub fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.directories.extend(other.directories);
    }
}

impl From<DesiredFiles> for Wanted {
    fn from(desired: DesiredFiles) -> Self {
        let files = desired.files.into_iter();
        let files = files.map(|(path, file)| (path, WantedFile::Made(file))).collect();
        Self { files, directories: desired.directories }
    }
}

impl WantedFile {
    /// What it is known by.
    pub fn mark(&self) -> Mark {
        match self {
            Self::Made(DesiredFile { content, mode }) => Mark::of(content.expose(), *mode),
            Self::Kept(mark) => mark.clone(),
        }
    }

    /// Its permission bits.
    pub fn mode(&self) -> FileMode {
        match self {
            Self::Made(DesiredFile { mode, .. }) | Self::Kept(Mark { mode, .. }) => *mode,
        }
    }

    /// Whether it has these bytes.
    pub fn is(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Made(file) => file.content.expose() == bytes,
            Self::Kept(mark) => digest::hex(bytes, 64) == mark.digest,
        }
    }

    /// How many bytes have to be written for it.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Made(file) => file.content.expose().len(),
            Self::Kept(_) => 0,
        }
    }
}

impl GenerationName {
    /// The name of the generation after `last`, which nobody could have taken beforehand. There is
    /// none after the last number that there is.
    pub fn after(last: u64) -> Option<Self> {
        Some(Self { number: last.checked_add(1)?, salt: fastrand::u32(..) })
    }
}

impl fmt::Display for GenerationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "..{}-{:08x}", self.number, self.salt)
    }
}

/// Text that is no generation's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no name of a generation")]
pub struct NameError;

impl FromStr for GenerationName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (number, salt) =
            text.strip_prefix("..").and_then(|rest| rest.split_once('-')).ok_or(NameError)?;
        let name = Self {
            number: number.parse().map_err(|_| NameError)?,
            salt: u32::from_str_radix(salt, 16).map_err(|_| NameError)?,
        };
        (name.to_string() == text).then_some(name).ok_or(NameError)
    }
}

impl TryFrom<String> for GenerationName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<GenerationName> for String {
    fn from(name: GenerationName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_known_by_its_name() {
        let name = GenerationName::after(6).expect("a name");
        assert_eq!((name.number, name.to_string().parse()), (7, Ok(name)));
        for other in [
            "..data",
            "7-00000000",
            "..7",
            "..7-0",
            "..07-00000000",
            "../etc",
            "..7-0000000G",
            "..7-00000000/x",
            "..18446744073709551616-00000000",
        ] {
            assert_eq!(other.parse::<GenerationName>(), Err(NameError), "{other}");
        }
        assert_eq!(GenerationName::after(u64::MAX), None);
    }

    #[test]
    fn a_manifest_tells_no_value_and_reads_back() {
        let mode: FileMode = "0440".parse().expect("a mode");
        let mark = Mark::of(b"hunter2", mode);
        let files = BTreeMap::from([("a/b".parse().expect("a path"), mark)]);
        let name = GenerationName::after(0);
        let manifest = Manifest { name, files, ..Manifest::default() };
        let json = serde_json::to_string(&manifest).expect("JSON");
        assert!(!json.contains("hunter2"), "{json}");
        assert_eq!(serde_json::from_str::<Manifest>(&json).expect("its own"), manifest);
    }
}
