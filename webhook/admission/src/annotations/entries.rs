//! `file.<name>`, `dir.<name>` and `files`: the entries, from whichever annotation they come.
//!
//! PURE. Knows which sources and fields this version serves.

use std::collections::BTreeSet;

use mayfly_spec::{
    Reference,
    file::{Content, FileEntry, FilePath, Files},
    reference::Source,
};
use serde_json::Value;

use crate::{
    fault::{Fault, quote},
    settings::{Annotation, Kind, PREFIX, ValueError},
};

/// Fields of an entry that a later version brings.
const LATER_FIELDS: [&str; 4] = ["template", "delimiters", "max-age", "max-age-action"];

/// The entries that could be read, and the names of those that could not.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) files: Vec<FileEntry>,
    /// The paths of entries that are faulty in some other way.
    faulty: BTreeSet<String>,
    /// Whether something could not be read at all, so that any path may have been meant.
    unreadable: bool,
}

impl Entries {
    /// Takes `file.<path>` or `dir.<path>`.
    pub(super) fn add(&mut self, kind: Kind, path: &str, text: &str) -> Result<(), String> {
        let entry = entry(kind, path, text);
        self.take(entry, || Some(path.to_owned()))
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
            if let Err(message) = self.take(listed(entry), || path) {
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
    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        for conflict in Files::conflicts(&self.files) {
            faults.push(Fault::new(Annotation::Files.to_string(), conflict));
        }
        let asked = !self.files.is_empty() || !self.faulty.is_empty() || self.unreadable;
        if !asked {
            let message = format!(
                "no file is asked for; add `{PREFIX}file.<name>`, `{PREFIX}dir.<name>` or `{}`",
                Annotation::Files
            );
            faults.push(Fault::new(Annotation::Inject.to_string(), message));
        }
    }

    /// Whether `path` is, or may have been meant to be, one of the files.
    pub(super) fn may_have(&self, path: &str) -> bool {
        let is_entry = |entry: &FileEntry| match entry.content {
            Content::File(_) => entry.path.as_str() == path,
            Content::Directory => {
                let rest = path.strip_prefix(entry.path.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        };
        let well_formed = path.parse::<FilePath>().is_ok();
        self.unreadable
            || self.faulty.contains(path)
            || well_formed && self.files.iter().any(is_entry)
    }

    /// The paths that are asked for.
    pub(super) fn known(&self) -> Vec<&str> {
        self.files.iter().map(|entry| entry.path.as_str()).collect()
    }
}

fn list(text: &str) -> Result<Vec<Value>, String> {
    match serde_saphyr::from_str(text) {
        Ok(Value::Array(list)) => Ok(list),
        Ok(_) => Err("not a YAML list; begin each entry with `- `, for example `- {path: a, from: \"vault:secret/app#a\"}`".to_owned()),
        Err(error) => Err(format!("not YAML: {}", first_line(&error))),
    }
}

fn entry(kind: Kind, path: &str, text: &str) -> Result<FileEntry, String> {
    if kind == Kind::Template {
        return Err(ValueError::Later("template").to_string());
    }
    let path: FilePath = path.parse().map_err(|error| format!("{error}"))?;
    let from: Reference = text.parse().map_err(|error| format!("{error}"))?;
    refuse_source(&from)?;
    let entry = match kind {
        Kind::Dir => FileEntry::directory(path, from),
        _ => FileEntry::file(path, from),
    };
    entry.map_err(|error| error.to_string())
}

fn listed(entry: Value) -> Result<FileEntry, String> {
    if !entry.is_object() {
        return Err("not a mapping; write it as `{path: …, from: …}`".to_owned());
    }
    if let Some(field) = LATER_FIELDS.iter().find(|field| entry.get(field).is_some()) {
        return Err(ValueError::Later(field).to_string());
    }
    if entry.get("mode").is_some_and(Value::is_number) {
        return Err("put `mode` in quotes, for example \"0440\"; without them YAML reads a number"
            .to_owned());
    }
    let entry: FileEntry =
        serde_json::from_value(entry).map_err(|error| quote(&error.to_string()))?;
    refuse_source(&entry.from).map_err(|error| format!("`{}`: {error}", entry.path))?;
    Ok(entry)
}

fn refuse_source(from: &Reference) -> Result<(), String> {
    match from.location.source() {
        Source::File => {
            Err("`file:` is for local development only; in a pod, mount the file as a volume"
                .to_owned())
        }
        _ => Ok(()),
    }
}

/// The error without the excerpt below it.
fn first_line(error: &impl ToString) -> String {
    let text = error.to_string();
    quote(text.lines().next().unwrap_or_default().trim_start_matches("error: "))
}
