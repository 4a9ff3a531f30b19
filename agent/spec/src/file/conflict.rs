//! The whole set of entries: no two may want the same place.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{FileEntry, FilePath};

/// Entries that can all be written: no path twice, no file where another's directory is, no names
/// that differ only in case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Vec<FileEntry>", into = "Vec<FileEntry>")]
pub struct Files(Vec<FileEntry>);

/// Two entries that cannot both be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The same path twice.
    #[error("`{0}` is written twice; give each file a path of its own")]
    Twice(FilePath),
    /// A file, or a directory that one secret fills, above another entry's path.
    #[error(
        "`{inner}` lies inside `{outer}`, which is an entry of its own; choose another path for one of them"
    )]
    Inside {
        /// The entry above.
        outer: FilePath,
        /// The entry below.
        inner: FilePath,
    },
    /// Names that a person, or a file system, would take for the same.
    #[error("`{0}` and `{1}` differ only in case; choose another name for one of them")]
    Case(FilePath, FilePath),
}

/// All conflicts of a set of entries, as one error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(Conflict::to_string).collect();
        f.write_str(&all.join("; "))
    }
}

impl std::error::Error for Conflicts {}

impl Files {
    /// The entries, in the order in which they were given.
    pub fn entries(&self) -> &[FileEntry] {
        &self.0
    }

    /// Every conflict between two of `entries`, in their order.
    pub fn conflicts(entries: &[FileEntry]) -> Vec<Conflict> {
        let mut seen: BTreeMap<String, &FilePath> = BTreeMap::new();
        let mut conflicts = Vec::new();
        for path in entries.iter().map(|entry| &entry.path) {
            match seen.insert(path.as_str().to_lowercase(), path) {
                Some(other) if other == path => conflicts.push(Conflict::Twice(path.clone())),
                Some(other) => conflicts.push(Conflict::Case(other.clone(), path.clone())),
                None => {}
            }
        }
        conflicts.extend(entries.iter().filter_map(|entry| inside(&entry.path, &seen)));
        conflicts
    }
}

/// The conflict of `path` with an entry at one of the directories above it.
fn inside(path: &FilePath, seen: &BTreeMap<String, &FilePath>) -> Option<Conflict> {
    let folded = path.as_str().to_lowercase();
    let outer = folded.match_indices('/').find_map(|(end, _)| seen.get(&folded[..end]))?;
    Some(Conflict::Inside { outer: (*outer).clone(), inner: path.clone() })
}

impl TryFrom<Vec<FileEntry>> for Files {
    type Error = Conflicts;

    fn try_from(entries: Vec<FileEntry>) -> Result<Self, Conflicts> {
        let conflicts = Self::conflicts(&entries);
        if conflicts.is_empty() { Ok(Self(entries)) } else { Err(Conflicts(conflicts)) }
    }
}

impl From<Files> for Vec<FileEntry> {
    fn from(files: Files) -> Self {
        files.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflicts(paths: &[&str]) -> String {
        let entry = |path: &&str| {
            let from = "vault:secret/app#key".parse().expect("a reference");
            FileEntry::file(path.parse().expect(path), from).expect(path)
        };
        let entries: Vec<FileEntry> = paths.iter().map(entry).collect();
        Files::try_from(entries).err().map(|conflicts| conflicts.to_string()).unwrap_or_default()
    }

    #[test]
    fn entries_side_by_side_are_fine() {
        assert_eq!(conflicts(&["a", "b/a", "b/c", "ab"]), "");
    }

    #[test]
    fn every_conflict_is_told() {
        assert!(conflicts(&["a", "a"]).contains("`a` is written twice"));
        assert!(conflicts(&["a/b", "a"]).contains("`a/b` lies inside `a`"));
        assert!(conflicts(&["A", "a/b"]).contains("`a/b` lies inside `A`"));
        assert!(conflicts(&["Key", "key"]).contains("differ only in case"));
        assert_eq!(conflicts(&["a", "a", "b", "B"]).matches(';').count(), 3);
    }
}
