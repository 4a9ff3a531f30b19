//! From secrets to the files that are wanted: pure, total, the same bytes for the same input.
//!
//! Each format is one room below. This one knows nothing of backends, of what is on the volume, or
//! of when it is asked.

mod dotenv;
mod properties;
mod toml;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{
    FileEntry, FilePath, Format, Location,
    file::{Content, FileMode, PathError},
    spec::Access,
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    fault::{Class, Fault},
    secret::{Json, Member, PickError, Secret, SecretData},
};

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

/// An entry that cannot be made from its secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{path}` from `{from}`: {cause}")]
pub struct RenderError {
    /// The entry.
    pub path: String,
    /// Its reference.
    pub from: String,
    /// What is wrong with the secret for it.
    pub cause: Cause,
}

/// What is wrong with a secret for one entry. No variant holds a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Cause {
    /// The key is not there.
    #[error(transparent)]
    Pick(#[from] PickError),
    /// A whole secret that is no JSON object.
    #[error("the secret is no JSON object; {0} needs one (`format: raw` writes it as it is)")]
    NoObject(&'static str),
    /// A value that the format has no way to write.
    #[error("the value of `{key}` cannot be written as {format}: {reason}")]
    Value {
        /// Its key.
        key: String,
        /// The format.
        format: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A key that the format has no way to write.
    #[error(
        "the key `{0}` is no name of a variable (letters, digits and `_`, no digit first); choose others with `keys`"
    )]
    Name(String),
    /// A key of the secret that is no file name.
    #[error("the key `{key}` is no file name: {reason}; choose others with `keys`")]
    FileName {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: PathError,
    },
    /// Two keys of the secret that cannot both be files.
    #[error("the keys `{0}` and `{1}` cannot both be files; choose one with `keys`")]
    Clash(String, String),
}

impl Cause {
    fn is_missing(&self) -> bool {
        matches!(self, Self::Pick(_))
    }
}

impl From<RenderError> for Fault {
    fn from(error: RenderError) -> Self {
        let class = if error.cause.is_missing() { Class::Missing } else { Class::Configuration };
        Self::new(class, error)
    }
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
        let Some(Some(data)) = secrets.get(&entry.from.location) else {
            continue;
        };
        match render(entry, access, data) {
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

/// What one entry makes.
fn render(entry: &FileEntry, access: &Access, data: &SecretData) -> Result<DesiredFiles, Cause> {
    let mode = entry.mode.unwrap_or(access.mode);
    match entry.content {
        Content::File(format) => {
            let content = content(entry, format, data)?;
            let files = BTreeMap::from([(entry.path.clone(), DesiredFile { content, mode })]);
            Ok(DesiredFiles { files, ..DesiredFiles::default() })
        }
        Content::Directory => directory(entry, mode, data),
    }
}

fn content(entry: &FileEntry, format: Format, data: &SecretData) -> Result<Secret, Cause> {
    let picked;
    let data = match &entry.from.key {
        Some(key) => {
            picked = SecretData::from(data.pick(key)?);
            &picked
        }
        None => data,
    };
    let Some(write) = writer(format) else {
        return Ok(data.whole().expose().to_vec().into());
    };
    let json = data.json();
    let members = chosen(entry, json.as_ref(), name(format))?;
    let mut text = Zeroizing::new(Vec::new());
    write(&members, &mut text)?;
    Ok(text.into())
}

/// Writes the members of one object.
type Writer = fn(&[&Member], &mut Vec<u8>) -> Result<(), Cause>;

fn writer(format: Format) -> Option<Writer> {
    match format {
        Format::Raw => None,
        Format::Json => Some(|members, text| {
            crate::secret::write_members(members.iter().copied(), text);
            Ok(())
        }),
        Format::Yaml => Some(|members, text| {
            yaml::write(members, text);
            Ok(())
        }),
        Format::Toml => Some(toml::write),
        Format::Dotenv => Some(dotenv::write),
        Format::Properties => Some(|members, text| {
            properties::write(members, text);
            Ok(())
        }),
    }
}

fn name(format: Format) -> &'static str {
    match format {
        Format::Raw => "raw",
        Format::Json => "JSON",
        Format::Yaml => "YAML",
        Format::Toml => "TOML",
        Format::Dotenv => "dotenv",
        Format::Properties => "properties",
    }
}

/// The members that the entry's `keys` name, in that order; all if it names none.
fn chosen<'a>(
    entry: &FileEntry,
    json: Option<&'a Json>,
    form: &'static str,
) -> Result<Vec<&'a Member>, Cause> {
    let members = json.and_then(Json::members).ok_or(Cause::NoObject(form))?;
    if entry.keys.is_empty() {
        return Ok(members.iter().collect());
    }
    let find = |key: &String| members.iter().find(|member| member.name == *key);
    let missing =
        |key: &str| crate::secret::no_key(key, members.iter().map(|member| member.name.as_str()));
    let mut chosen = Vec::new();
    for key in &entry.keys {
        match find(key) {
            Some(member) => chosen.push(member),
            None if entry.optional && entry.content == Content::Directory => {}
            None => return Err(missing(key).into()),
        }
    }
    Ok(chosen)
}

/// One raw file for each member.
fn directory(entry: &FileEntry, mode: FileMode, data: &SecretData) -> Result<DesiredFiles, Cause> {
    let json = data.json();
    let mut desired = DesiredFiles::default();
    desired.directories.insert(entry.path.clone());
    for member in chosen(entry, json.as_ref(), "a directory")? {
        let key = &member.name;
        let path =
            entry.path.join(key).map_err(|reason| Cause::FileName { key: key.clone(), reason })?;
        let file = DesiredFile { content: member.value.content(), mode };
        desired.files.insert(path, file);
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
