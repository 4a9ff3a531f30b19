//! `file.<name>`, `dir.<name>`, `template.<name>` and `files`: the entries, from whichever annotation they come.
//!
//! PURE. Knows which sources and fields this version serves.

use std::collections::BTreeSet;

use mayfly_spec::{
    Reference,
    file::{Content, FileEntry, FilePath, Files},
    reference::Source,
    template::{Delimiters, Template},
};
use serde_json::Value;
use serde_saphyr::{Error, budget::BudgetBreach};

use crate::{
    bounds,
    fault::{Fault, Faults, quote},
    settings::{Annotation, Kind, PREFIX, ValueError},
};

/// Fields of an entry that a later version brings.
const LATER_FIELDS: [&str; 2] = ["max-age", "max-age-action"];

/// The entries that could be read, and the names of those that could not.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) files: Vec<FileEntry>,
    /// How many references they have.
    references: usize,
    /// The paths of entries that are faulty in some other way.
    faulty: BTreeSet<String>,
    /// Whether something could not be read at all, so that any path may have been meant.
    unreadable: bool,
}

impl Entries {
    /// Takes `file.<path>`, `dir.<path>` or `template.<path>`.
    pub(super) fn add(&mut self, kind: Kind, path: &str, text: &str) -> Result<(), String> {
        self.admit()?;
        let entry = entry(kind, path, text);
        self.take(entry, || Some(path.to_owned()))
    }

    /// Whether there is room for one more, good or not.
    fn admit(&mut self) -> Result<(), String> {
        if self.files.len() + self.faulty.len() < bounds::FILES {
            return Ok(());
        }
        self.unreadable = true;
        Err(format!("one file too many; allowed: {}", bounds::FILES))
    }

    fn take(
        &mut self,
        entry: Result<FileEntry, String>,
        path: impl FnOnce() -> Option<String>,
    ) -> Result<(), String> {
        let entry = entry.inspect_err(|_| match path() {
            Some(path) => drop(self.faulty.insert(path)),
            None => self.unreadable = true,
        })?;
        self.references += entry.references().len();
        if self.references > bounds::REFERENCES {
            self.unreadable = true;
            return Err(format!("one reference too many; allowed: {}", bounds::REFERENCES));
        }
        self.files.push(entry);
        Ok(())
    }

    /// Takes the list of `files`, and tells what is wrong with it.
    pub(super) fn add_list(&mut self, text: &str) -> Vec<String> {
        let list = match list(text) {
            Ok(list) => list,
            Err(message) => {
                self.unreadable = true;
                return vec![message];
            }
        };
        let mut faults = Vec::new();
        for (number, entry) in (1..).zip(list) {
            let path = ["path", "dir"].iter().find_map(|field| entry.get(field)?.as_str());
            let path = path.map(str::to_owned);
            let taken = self.admit().and_then(|()| self.take(listed(entry), || path));
            if let Err(message) = taken {
                faults.push(format!("entry {number}: {message}"));
            }
        }
        faults
    }

    /// Notes an annotation that may have been meant for an entry.
    pub(super) fn expect_anything(&mut self) {
        self.unreadable = true;
    }

    /// What concerns all entries together.
    pub(super) fn check(&self, faults: &mut Faults) {
        for conflict in Files::conflicts(&self.files) {
            faults.push(Fault::new(Annotation::Files.to_string(), conflict));
        }
        let asked = !self.files.is_empty() || !self.faulty.is_empty() || self.unreadable;
        if !asked {
            let message = format!(
                "no file is asked for; add `{PREFIX}file.<name>`, `{PREFIX}dir.<name>`, `{PREFIX}template.<name>` or `{}`",
                Annotation::Files
            );
            faults.push(Fault::new(Annotation::Inject.to_string(), message));
        }
    }

    /// Where the files are, or may have been meant to be.
    pub(super) fn places(&self) -> Places<'_> {
        let paths = |directories: bool| {
            let entries = self.files.iter();
            let of_kind = entries
                .filter(move |entry| matches!(entry.content, Content::Directory) == directories);
            of_kind.map(|entry| entry.path.as_str()).collect()
        };
        Places { entries: self, files: paths(false), directories: paths(true) }
    }

    /// The paths that are asked for.
    pub(super) fn known(&self) -> Vec<&str> {
        self.files.iter().map(|entry| entry.path.as_str()).collect()
    }
}

/// The paths of the entries, to be searched.
#[derive(Debug)]
pub(super) struct Places<'a> {
    entries: &'a Entries,
    files: BTreeSet<&'a str>,
    directories: BTreeSet<&'a str>,
}

impl Places<'_> {
    /// Whether `path` is, or may have been meant to be, one of the files.
    pub(super) fn may_have(&self, path: &str) -> bool {
        let well_formed = || path.parse::<FilePath>().is_ok();
        self.entries.unreadable
            || self.entries.faulty.contains(path)
            || well_formed() && (self.files.contains(path) || self.is_in_a_directory(path))
    }

    fn is_in_a_directory(&self, path: &str) -> bool {
        let mut above = path.match_indices('/').map(|(end, _)| &path[..end]);
        self.directories.contains(path) || above.any(|above| self.directories.contains(above))
    }
}

/// YAML of so many values as [`bounds::FILES`] entries have, each written where it is meant: an alias
/// of a few bytes can stand for any number of them.
fn list(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_merge_keys: 0,
            max_nodes: bounds::YAML_NODES,
            max_events: 2 * bounds::YAML_NODES,
        },
    };
    match serde_saphyr::from_str_with_options(text, options) {
        Ok(Value::Array(list)) => Ok(list),
        Ok(_) => Err("not a YAML list; begin each entry with `- `, for example `- {path: a, from: \"vault:secret/app#a\"}`".to_owned()),
        Err(error) => Err(unreadable(&error)),
    }
}

fn entry(kind: Kind, path: &str, text: &str) -> Result<FileEntry, String> {
    let path: FilePath = path.parse().map_err(|error| format!("{error}"))?;
    let reference = || text.parse::<Reference>().map_err(|error| error.to_string());
    let entry = match kind {
        Kind::Dir => FileEntry::directory(path, reference()?),
        Kind::File => FileEntry::file(path, reference()?),
        Kind::Template => {
            let template = Template::parse(text.to_owned(), Delimiters::default());
            Ok(FileEntry::template(path, template.map_err(|error| error.to_string())?))
        }
    };
    let entry = entry.map_err(|error| error.to_string())?;
    refuse_sources(&entry)?;
    Ok(entry)
}

fn listed(entry: Value) -> Result<FileEntry, String> {
    if !entry.is_object() {
        return Err("not a mapping; write it as `{path: …, from: …}`".to_owned());
    }
    if let Some(field) = LATER_FIELDS.iter().find(|field| entry.get(field).is_some()) {
        return Err(ValueError::Later(field).to_string());
    }
    let entry: FileEntry =
        serde_json::from_value(entry).map_err(|error| quote(&error.to_string()))?;
    refuse_sources(&entry).map_err(|error| format!("`{}`: {error}", entry.path))?;
    Ok(entry)
}

fn refuse_sources(entry: &FileEntry) -> Result<(), String> {
    let mut sources = entry.references().iter().map(|reference| reference.location.source());
    if sources.any(|source| source == Source::File) {
        return Err("`file:` is for local development only; in a pod, mount the file as a volume"
            .to_owned());
    }
    Ok(())
}

fn unreadable(error: &Error) -> String {
    match error.without_snippet() {
        Error::Budget {
            breach: BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. },
            ..
        } => "anchors and aliases (`&name`, `*name`) are not read; write each entry out".to_owned(),
        Error::Budget { .. } => {
            format!(
                "longer or deeper than a list of {} entries; write less, or keep several secrets in one",
                bounds::FILES
            )
        }
        error => format!("not YAML: {}", first_line(error)),
    }
}

/// The error without the excerpt below it.
fn first_line(error: &impl ToString) -> String {
    let text = error.to_string();
    quote(text.lines().next().unwrap_or_default().trim_start_matches("error: "))
}
