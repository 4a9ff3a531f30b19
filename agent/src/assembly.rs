//! The next generation, from every secret's state and from what is on the volume.
//!
//! PURE, total, the same for the same. It never makes worse: a group is new as a whole or stays as it
//! is, and nothing disappears because something failed.

use std::collections::BTreeMap;

use mayfly_spec::{FileEntry, FilePath, Location, file::Content, spec::Access};

use crate::{
    fault::{Class, Fault},
    group::{self, Group},
    manifest::{Manifest, Wanted, WantedFile},
    render::{self, Secrets},
    secret::SecretData,
};

/// What is wanted.
#[derive(Debug)]
pub struct Order<'a> {
    /// Every file or directory.
    pub entries: &'a [FileEntry],
    /// Who may read them.
    pub access: &'a Access,
    /// Which of them belong together.
    pub groups: &'a [Group],
}

/// What is known of one secret.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What the last look at it saw.
    pub sight: Sight<'a>,
    /// What its files on the volume were made from, if that is known.
    pub written: Option<&'a SecretData>,
}

/// What the last look at a secret saw.
#[derive(Debug, Clone, Copy)]
pub enum Sight<'a> {
    /// This.
    Read(&'a SecretData),
    /// That there is none.
    Missing(&'a Fault),
    /// Nothing, for this reason.
    Failed(&'a Fault),
    /// Nothing yet.
    Pending,
}

/// What becomes of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is made from what was read.
    New,
    /// It stays as it is on the volume.
    Carried,
    /// There is nothing of it, or not all.
    Missing,
}

/// The next generation.
#[derive(Debug)]
pub struct Assembly {
    /// All files.
    pub wanted: Wanted,
    /// What becomes of each group, in their order.
    pub standings: Vec<Standing>,
    /// What went wrong, by what it befell.
    pub faults: BTreeMap<Location, Fault>,
}

impl Assembly {
    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        !self.standings.contains(&Standing::Missing)
    }

    /// Which group would write the most that is not on the volume yet.
    pub fn largest_change(&self, order: &Order<'_>, present: &Manifest) -> Option<usize> {
        let is_new = |at: &usize| self.standings[*at] == Standing::New;
        let groups = (0..order.groups.len()).filter(is_new);
        let sized = groups.map(|at| (self.change(order, &order.groups[at], present), at));
        sized.max().filter(|(bytes, _)| *bytes > 0).map(|(_, at)| at)
    }

    fn change(&self, order: &Order<'_>, group: &Group, present: &Manifest) -> usize {
        let roots = || group.entries.iter().map(|at| &order.entries[*at].path);
        let files = self.wanted.files.iter();
        let own = files.filter(|(path, _)| roots().any(|root| is_within(path, root)));
        let changed = own.filter(|(path, file)| present.files.get(*path) != Some(&file.mark()));
        changed.map(|(_, file)| file.bytes().max(1)).sum()
    }

    /// All that went wrong as one fault.
    pub fn fault(&self) -> Option<Fault> {
        Fault::all(self.faults.values().cloned())
    }
}

/// Makes the next generation. `present` is what the volume has of this configuration; groups that are
/// `held_back` stay, whatever was read, for the reason that is given.
pub fn assemble(
    order: &Order<'_>,
    views: &BTreeMap<&Location, View<'_>>,
    present: &Manifest,
    held_back: &BTreeMap<usize, Fault>,
) -> Assembly {
    let bench = Bench { order, views, present };
    let mut assembly =
        Assembly { wanted: Wanted::default(), standings: Vec::new(), faults: BTreeMap::new() };
    for (at, group) in order.groups.iter().enumerate() {
        let made = bench.group(group, held_back.get(&at));
        assembly.wanted.extend(made.wanted);
        assembly.standings.push(made.standing);
        for (location, fault) in made.faults {
            let faults = assembly.faults.remove(&location).into_iter().chain([fault]);
            assembly.faults.extend(Fault::all(faults).map(|fault| (location, fault)));
        }
    }
    assembly
}

struct Bench<'a> {
    order: &'a Order<'a>,
    views: &'a BTreeMap<&'a Location, View<'a>>,
    present: &'a Manifest,
}

/// What came of a group or an entry.
struct Made {
    wanted: Wanted,
    standing: Standing,
    faults: Vec<(Location, Fault)>,
}

impl Bench<'_> {
    fn group(&self, group: &Group, held_back: Option<&Fault>) -> Made {
        let mut faults = self.blows(group);
        faults.extend(
            held_back.and_then(|fault| Some((group.locations.first()?.clone(), fault.clone()))),
        );
        let is_pending = group.locations.iter().any(|it| matches!(self.sight(it), Sight::Pending));
        if faults.is_empty() && !is_pending {
            match self.made(group) {
                Ok(made) => return made,
                Err(broken) => faults = broken,
            }
        }
        let Made { wanted, standing, .. } = self.carried(group);
        Made { wanted, standing, faults }
    }

    /// What keeps the group from being new: whatever was not read, and has to be.
    fn blows(&self, group: &Group) -> Vec<(Location, Fault)> {
        let blow = |location: &Location| match self.sight(location) {
            Sight::Failed(fault) => Some((location.clone(), referenced(location, fault))),
            Sight::Missing(fault) if self.is_needed(group, location) => {
                Some((location.clone(), referenced(location, fault)))
            }
            _ => None,
        };
        group.locations.iter().filter_map(blow).collect()
    }

    fn is_needed(&self, group: &Group, location: &Location) -> bool {
        let entries = group.entries.iter().map(|at| &self.order.entries[*at]);
        let mut users = entries.filter(|entry| group::locations(entry).any(|it| it == location));
        users.any(|entry| !entry.optional)
    }

    fn sight(&self, location: &Location) -> Sight<'_> {
        self.views.get(location).map_or(Sight::Pending, |view| view.sight)
    }

    /// The group from what was read, or everything that is wrong with it. What an optional entry has
    /// no more stays as it is.
    fn made(&self, group: &Group) -> Result<Made, Vec<(Location, Fault)>> {
        let mut made =
            Made { wanted: Wanted::default(), standing: Standing::New, faults: Vec::new() };
        let mut broken = Vec::new();
        let data = |location: &Location| match self.sight(location) {
            Sight::Read(data) => Some(data),
            _ => None,
        };
        for entry in group.entries.iter().map(|at| &self.order.entries[*at]) {
            match self.rendered(entry, data) {
                Ok(wanted) if wanted.tops().is_empty() => {
                    let kept = self.kept(entry);
                    made.faults.extend((!kept.tops().is_empty()).then(|| self.gone(entry)));
                    made.wanted.extend(kept);
                }
                Ok(wanted) => made.wanted.extend(wanted),
                Err(fault) => broken.push((entry.references()[0].location.clone(), fault)),
            }
        }
        if broken.is_empty() { Ok(made) } else { Err(broken) }
    }

    fn rendered<'a>(
        &self,
        entry: &'a FileEntry,
        data: impl Fn(&Location) -> Option<&'a SecretData>,
    ) -> Result<Wanted, Fault> {
        let secrets: Secrets<'_> = group::locations(entry).map(|it| (it, data(it))).collect();
        let desired =
            render::desired_files(std::slice::from_ref(entry), self.order.access, &secrets);
        desired.map(Wanted::from).map_err(|errors| {
            let none = || Fault::new(Class::Configuration, "nothing can be rendered");
            Fault::all(errors.into_iter().map(Fault::from)).unwrap_or_else(none)
        })
    }

    /// The fault of an entry whose file stays although its secret or key is no more.
    fn gone(&self, entry: &FileEntry) -> (Location, Fault) {
        let missing = group::locations(entry).find_map(|location| match self.sight(location) {
            Sight::Missing(fault) => Some((location, referenced(location, fault))),
            _ => None,
        });
        let (location, fault) = missing.unwrap_or_else(|| {
            let (path, from) = (&entry.path, entry.from.label());
            let words = format!("`{path}` from `{from}`: the key is no more; its file is kept");
            (&entry.references()[0].location, Fault::new(Class::Missing, words))
        });
        (location.clone(), fault)
    }

    /// The group as it is on the volume: from what it was made of, where that is known, because the
    /// volume may have been changed by others.
    fn carried(&self, group: &Group) -> Made {
        let mut wanted = Wanted::default();
        let mut standing = Standing::Carried;
        let written = |location: &Location| self.views.get(location).and_then(|view| view.written);
        for entry in group.entries.iter().map(|at| &self.order.entries[*at]) {
            let known = group::locations(entry).all(|location| written(location).is_some());
            let again = known.then(|| self.rendered(entry, written).ok()).flatten();
            let again = again.filter(|wanted| !wanted.tops().is_empty());
            let kept = again.unwrap_or_else(|| self.kept(entry));
            if kept.tops().is_empty() && !entry.optional {
                standing = Standing::Missing;
            }
            wanted.extend(kept);
        }
        Made { wanted, standing, faults: Vec::new() }
    }

    /// What the volume has of the entry.
    fn kept(&self, entry: &FileEntry) -> Wanted {
        let is_of = |path: &&FilePath| match entry.content {
            Content::Directory => is_within(path, &entry.path),
            Content::File(_) => **path == entry.path,
        };
        let files = self.present.files.iter().filter(|(path, _)| is_of(path));
        let kept = files.map(|(path, mark)| (path.clone(), WantedFile::Kept(mark.clone())));
        let directories = self.present.directories.iter().filter(is_of).cloned();
        Wanted { files: kept.collect(), directories: directories.collect() }
    }
}

/// Whether `path` is `directory` or lies below it.
fn is_within(path: &FilePath, directory: &FilePath) -> bool {
    let rest = path.as_str().strip_prefix(directory.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The fault with the reference that it befell.
pub(crate) fn referenced(location: &Location, fault: &Fault) -> Fault {
    let words = format!("`{}`: {fault}", location.label());
    Fault { message: words, ..fault.clone() }
}

#[cfg(test)]
mod tests;
