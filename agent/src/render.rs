//! From secrets to the files that are wanted: pure, total, the same bytes for the same input.
//!
//! Each format is one room below, and so is the templates' language. This one knows nothing of backends, of what is on the volume, or
//! of when it is asked.

mod cause;
mod dotenv;
mod members;
mod pem;
mod properties;
mod template;
mod toml;
mod values;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{
    FileEntry, FilePath, Format, Location, Reference,
    file::{Content, Dialect, FileMode, Origin},
    reference::Key,
    spec::Access,
};
use zeroize::Zeroizing;

use crate::secret::{Json, Member, Secret, SecretData};

pub use cause::{Cause, RenderError};

/// The secrets that were read; `None` is one that is missing and may be.
pub type Secrets<'a> = BTreeMap<&'a Location, Option<&'a SecretData>>;

/// A complete generation, before it is written.
#[derive(Debug, Default)]
pub struct DesiredFiles {
    /// Every file, by its path below the secrets' directory.
    pub files: BTreeMap<FilePath, DesiredFile>,
    /// Directories that are wanted even if nothing lies in them.
    pub directories: BTreeSet<FilePath>,
}

/// One file, before it is written.
#[derive(Debug)]
pub struct DesiredFile {
    /// Its bytes.
    pub content: Secret,
    /// Its permission bits.
    pub mode: FileMode,
}

/// Everything that `entries` ask for, or everything that is wrong.
pub fn desired_files(
    entries: &[FileEntry],
    access: &Access,
    secrets: &Secrets<'_>,
) -> Result<DesiredFiles, Vec<RenderError>> {
    let mut desired = DesiredFiles::default();
    let mut errors = Vec::new();
    for entry in entries {
        match render(entry, access, secrets) {
            Ok(made) => desired.extend(made),
            Err(cause) if entry.optional && cause.is_missing() => {}
            Err(cause) => errors.push(RenderError {
                path: entry.path.to_string(),
                from: entry.from.label(),
                cause,
            }),
        }
    }
    if errors.is_empty() { Ok(desired) } else { Err(errors) }
}

impl DesiredFiles {
    fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.directories.extend(other.directories);
    }

    /// The names that are visible in the secrets' directory itself.
    pub fn tops(&self) -> BTreeSet<&str> {
        self.files.keys().chain(&self.directories).map(FilePath::top).collect()
    }
}

/// What one entry makes; nothing, if one of its secrets is missing and may be.
fn render(
    entry: &FileEntry,
    access: &Access,
    secrets: &Secrets<'_>,
) -> Result<DesiredFiles, Cause> {
    let mode = entry.mode.unwrap_or(access.mode);
    let read = |reference: &Reference| secrets.get(&reference.location).copied().flatten();
    if entry.references().iter().any(|reference| read(reference).is_none()) {
        return Ok(DesiredFiles::default());
    }
    let content = match (&entry.from, entry.content) {
        (Origin::Template(template), _) => template::render(template, read)?,
        (Origin::Secret(from), content_kind) => {
            let Some(data) = read(from) else { return Ok(DesiredFiles::default()) };
            match content_kind {
                Content::File(format) => content(entry, from.key.as_ref(), format, data)?,
                Content::Directory => return directory(entry, mode, data),
            }
        }
    };
    let files = BTreeMap::from([(entry.path.clone(), DesiredFile { content, mode })]);
    Ok(DesiredFiles { files, ..DesiredFiles::default() })
}

fn content(
    entry: &FileEntry,
    key: Option<&Key>,
    format: Format,
    data: &SecretData,
) -> Result<Secret, Cause> {
    let picked;
    let (data, what) = match key {
        Some(key) => {
            picked = SecretData::from(data.pick(key)?);
            (&picked, key.to_string())
        }
        None => (data, String::new()),
    };
    if format == Format::Raw {
        return values::refined(data.whole(), &entry.shape, &what);
    }
    let json = data.json().map_err(|error| Cause::NoObject(name(format), error.into()))?;
    let mut text = Zeroizing::new(Vec::new());
    match json {
        Json::Array(_) if is_whole_list(entry, format) => {
            write_list(format, &values::list(json, &entry.shape)?, &mut text);
        }
        json => {
            let members = members::taken(entry, json, name(format))?;
            write_members(entry, format, &members, &mut text)?;
        }
    }
    Ok(text.into())
}

/// Whether the format holds a list as well as an object, and all of it is wanted.
fn is_whole_list(entry: &FileEntry, format: Format) -> bool {
    matches!(format, Format::Json | Format::Yaml) && entry.shape.keys.is_empty()
}

fn write_list(format: Format, list: &Json, text: &mut Vec<u8>) {
    match format {
        Format::Yaml => yaml::write_list(list, text),
        _ => list.write(text),
    }
}

fn write_members(
    entry: &FileEntry,
    format: Format,
    members: &[Member],
    text: &mut Vec<u8>,
) -> Result<(), Cause> {
    match format {
        Format::Raw | Format::Json => crate::secret::write_members(members, text),
        Format::Yaml => yaml::write(members, text),
        Format::Properties => properties::write(members, text),
        Format::Toml => return toml::write(members, text),
        Format::Pem => return pem::write(members, text),
        Format::Shell => return dotenv::write(members, Dialect::Sh, text),
        Format::EnvFile => return dotenv::write(members, Dialect::Kubernetes, text),
        Format::Dotenv => {
            return dotenv::write(members, entry.shape.dialect.unwrap_or_default(), text);
        }
    }
    Ok(())
}

fn name(format: Format) -> &'static str {
    match format {
        Format::Raw => "raw",
        Format::Json => "JSON",
        Format::Yaml => "YAML",
        Format::Toml => "TOML",
        Format::Dotenv => "dotenv",
        Format::Shell => "shell",
        Format::EnvFile => "env-file",
        Format::Properties => "properties",
        Format::Pem => "PEM",
    }
}

/// One raw file for each member.
fn directory(entry: &FileEntry, mode: FileMode, data: &SecretData) -> Result<DesiredFiles, Cause> {
    let json = data.json().map_err(|error| Cause::NoObject("a directory", error.into()))?;
    let mut desired = DesiredFiles::default();
    desired.directories.insert(entry.path.clone());
    for member in members::chosen(entry, json, "a directory")? {
        let key = &member.name;
        let path =
            entry.path.join(key).map_err(|reason| Cause::FileName { key: key.clone(), reason })?;
        let content = values::refined(&member.value.content(), &entry.shape, key)?;
        desired.files.insert(path, DesiredFile { content, mode });
    }
    refuse_clashes(&desired.files)?;
    Ok(desired)
}

/// No file may lie where another one's directory has to be. Sorted by whole names, a path comes
/// directly before what lies below it.
fn refuse_clashes(files: &BTreeMap<FilePath, DesiredFile>) -> Result<(), Cause> {
    let mut paths: Vec<&FilePath> = files.keys().collect();
    paths.sort_by(|left, right| left.names().cmp(right.names()));
    let below = |outer: &FilePath, inner: &FilePath| {
        inner.as_str().strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    let clash = paths.windows(2).find(|pair| below(pair[0], pair[1]));
    clash.map_or(Ok(()), |pair| Err(Cause::Clash(pair[0].to_string(), pair[1].to_string())))
}

#[cfg(test)]
mod tests;
