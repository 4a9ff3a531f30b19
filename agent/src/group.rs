//! What belongs together: files that are new together or not at all.
//!
//! PURE. The files of one secret are a group, and so are those that the author gives a group's name;
//! whatever shares one thing with another is of the same.

use std::collections::BTreeMap;

use mayfly_spec::{FileEntry, Location};

/// Files that change together, and the secrets that they are made from. A secret is of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Which entries, by their places in the configuration.
    pub entries: Vec<usize>,
    /// What they are made from, each once.
    pub locations: Vec<Location>,
}

/// What an entry is made from.
pub fn locations(entry: &FileEntry) -> impl Iterator<Item = &Location> {
    entry.references().iter().map(|reference| &reference.location)
}

/// What makes two entries one group, if they share it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Tie<'a> {
    Secret(&'a Location),
    Name(&'a str),
}

/// The groups of these entries, in the order of their first ones.
pub fn groups(entries: &[FileEntry]) -> Vec<Group> {
    let mut leaders = Leaders((0..entries.len()).collect());
    let mut tied: BTreeMap<Tie<'_>, usize> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        for tie in ties(entry) {
            let other = *tied.entry(tie).or_insert(at);
            leaders.unite(other, at);
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let group = groups.entry(leaders.of(at)).or_default();
        group.entries.push(at);
        group.locations.extend(locations(entry).cloned());
    }
    groups.into_values().map(Group::tidy).collect()
}

fn ties(entry: &FileEntry) -> impl Iterator<Item = Tie<'_>> {
    locations(entry).map(Tie::Secret).chain(entry.group.as_deref().map(Tie::Name))
}

impl Group {
    fn tidy(mut self) -> Self {
        self.locations.sort();
        self.locations.dedup();
        self
    }
}

/// Each entry's leader, or one that is nearer to it: the first of its group leads itself.
struct Leaders(Vec<usize>);

impl Leaders {
    fn of(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn unite(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(entries: &[(&str, Option<&str>)]) -> Vec<Vec<usize>> {
        let entry = |(at, (from, group)): (usize, &(&str, Option<&str>))| {
            let path = format!("f{at}").parse().expect("a path");
            let entry = FileEntry::file(path, from.parse().expect(from)).expect(from);
            FileEntry { group: group.map(str::to_owned), ..entry }
        };
        let entries: Vec<FileEntry> = entries.iter().enumerate().map(entry).collect();
        groups(&entries).into_iter().map(|group| group.entries).collect()
    }

    #[test]
    fn the_files_of_one_secret_are_one_group() {
        let parted = parted(&[
            ("vault:s/a#x", None),
            ("vault:s/b#x", None),
            ("vault:s/a#y", None),
            ("vault:s/a?version=1#x", None),
        ]);
        assert_eq!(parted, [vec![0, 2], vec![1], vec![3]]);
    }

    #[test]
    fn a_name_ties_secrets_and_their_other_files_too() {
        let parted = parted(&[
            ("vault:s/a#x", None),
            ("vault:s/b#x", Some("tls")),
            ("vault:s/c#x", None),
            ("vault:s/a#y", Some("tls")),
            ("vault:s/d#x", Some("other")),
        ]);
        assert_eq!(parted, [vec![0, 1, 3], vec![2], vec![4]]);
    }

    #[test]
    fn groups_that_meet_late_are_one() {
        let parted = parted(&[
            ("vault:s/a#x", Some("one")),
            ("vault:s/b#x", Some("two")),
            ("vault:s/c#x", Some("one")),
            ("vault:s/c#y", Some("two")),
        ]);
        assert_eq!(parted, [vec![0, 1, 2, 3]]);
        assert!(groups(&[]).is_empty());
    }
}
