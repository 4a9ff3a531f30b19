//! One entry of `files`: a file or a directory, where it comes from, and what is special about it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Decode, Dialect, FileMode, FilePath, Format, Keys, Origin, Shape, Trim};
use crate::{
    reference::{Reference, ReferenceError},
    template::{Delimiters, Template, TemplateError},
};

/// One file, or one directory with a file for each key of a secret.
///
/// ```yaml
/// - {path: db-password, from: "aws-sm:prod/db#password", mode: "0440"}
/// - {dir: certs, from: "vault:secret/tls", keys: [tls.crt, tls.key]}
/// - {path: app.env, from: "vault:secret/app", keys: {password: DB_PASSWORD}, dialect: node}
/// - {path: app.conf, template: "password = {{ secret('vault:secret/app').password }}"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct FileEntry {
    /// Where below the secrets' directory.
    pub path: FilePath,
    /// A file or a directory.
    pub content: Content,
    /// Where the secret is, or a template of some.
    pub from: Origin,
    /// The files' permission bits; `None` takes the configuration's.
    pub mode: Option<FileMode>,
    /// Whether a secret or key that is missing leaves the file out instead of failing.
    pub optional: bool,
    /// What happens to its values on their way into the file.
    pub shape: Shape,
    /// Which other entries it is new together with, beside those of the same secret; the name is the
    /// author's.
    pub group: Option<String>,
}

/// What an entry makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// One file, in the format that is given or that its name asks for.
    File(Format),
    /// A directory with one raw file for each key.
    Directory,
}

/// An entry whose fields do not fit together. The path names the entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Neither `path` nor `dir`, or both.
    #[error("an entry of `files` needs either `path` (one file) or `dir` (one file for each key)")]
    Target,
    /// No reference.
    #[error("`{0}` needs `from`, the reference of its secret, or a `template`")]
    From(FilePath),
    /// A reference and a template.
    #[error(
        "`{0}`: `from` and `template` exclude each other; the template names its secrets itself"
    )]
    Both(FilePath),
    /// A field beside `template` that is for `from`.
    #[error("`{path}`: `{field}` goes with `from`; a template says it itself, with its filters")]
    Templated {
        /// The entry.
        path: FilePath,
        /// The field.
        field: &'static str,
    },
    /// A directory from a template.
    #[error("`{0}`: a `template` makes one file; use `path` instead of `dir`")]
    TemplateDirectory(FilePath),
    /// `delimiters` without a template.
    #[error("`{0}`: `delimiters` goes with `template`")]
    Delimiters(FilePath),
    /// A template that cannot be.
    #[error("`{0}`: `template`: {1}")]
    Template(FilePath, TemplateError),
    /// A key where the whole secret is spread or formatted.
    #[error("`{path}`: `{field}` needs the whole secret; leave `#{key}` out of its reference")]
    Key {
        /// The entry.
        path: FilePath,
        /// The field that needs it.
        field: &'static str,
        /// The key of the reference.
        key: String,
    },
    /// A tree where one file is wanted.
    #[error("`{0}`: `from` ends in `/` and so names a tree; use `dir` instead of `path`")]
    Tree(FilePath),
    /// `format` on a directory.
    #[error("`{0}`: `format` is for a `path`; the files of a `dir` are raw")]
    Format(FilePath),
    /// `keys` on a raw file.
    #[error(
        "`{0}`: `keys` needs a `format` other than raw (or a name that ends in .json, .yaml, .toml, .env or .properties)"
    )]
    Keys(FilePath),
    /// No `keys` for a bundle.
    #[error(
        "`{0}`: `format: pem` needs `keys`, which say what comes first, for example `[certificate, ca_chain, private_key]`"
    )]
    Pem(FilePath),
    /// `dialect` on another format.
    #[error("`{0}`: `dialect` is for `format: dotenv` (or a name that ends in .env)")]
    Dialect(FilePath),
    /// A group without a name that people could read.
    #[error("`{0}`: `group` is a name of 1 to 63 characters, none of them a control character")]
    Group(FilePath),
    /// A reference that cannot be.
    #[error("`{0}`: {1}")]
    Reference(FilePath, ReferenceError),
}

/// The entry as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<FilePath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dir: Option<FilePath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delimiters: Option<Delimiters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<Format>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<FileMode>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
    #[serde(default, skip_serializing_if = "Keys::is_empty")]
    keys: Keys,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialect: Option<Dialect>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decode: Option<Decode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trim: Option<Trim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

impl FileEntry {
    /// A file at `path` from `from`, everything else as the names ask for.
    pub fn file(path: FilePath, from: Reference) -> Result<Self, EntryError> {
        let content = Content::File(default_format(&path, &from));
        Self::new(path, content, from).coherent()
    }

    /// A directory at `path` with one file for each key of `from`.
    pub fn directory(path: FilePath, from: Reference) -> Result<Self, EntryError> {
        Self::new(path, Content::Directory, from).coherent()
    }

    /// A file at `path` that `template` makes.
    pub fn template(path: FilePath, template: Template) -> Self {
        Self::new(path, Content::File(Format::Raw), template)
    }

    fn new(path: FilePath, content: Content, from: impl Into<Origin>) -> Self {
        let (from, shape) = (from.into(), Shape::default());
        Self { path, content, from, mode: None, optional: false, shape, group: None }
    }

    /// Everything that is read for it, which is never nothing.
    pub fn references(&self) -> &[Reference] {
        self.from.references()
    }

    fn coherent(self) -> Result<Self, EntryError> {
        let path = self.path.clone();
        let key = self.from.secret().and_then(|reference| reference.key.as_ref());
        if let (Some(field), Some(key)) = (self.needs_whole(), key) {
            return Err(EntryError::Key { path, field, key: key.to_string() });
        }
        if self.group.as_deref().is_some_and(|group| !is_name(group)) {
            return Err(EntryError::Group(path));
        }
        match self.content {
            Content::File(_) if self.is_one_of_a_tree() => Err(EntryError::Tree(path)),
            Content::File(Format::Raw) if self.has_keys() => Err(EntryError::Keys(path)),
            Content::File(Format::Pem) if !self.has_keys() => Err(EntryError::Pem(path)),
            Content::File(Format::Dotenv) => Ok(self),
            _ if self.shape.dialect.is_some() => Err(EntryError::Dialect(path)),
            _ => Ok(self),
        }
    }

    /// The field that wants the whole secret, if one does.
    fn needs_whole(&self) -> Option<&'static str> {
        match self.content {
            Content::Directory => Some("dir"),
            Content::File(_) if self.has_keys() => Some("keys"),
            Content::File(_) => None,
        }
    }

    fn is_one_of_a_tree(&self) -> bool {
        self.from.secret().is_some_and(|reference| reference.location.is_tree())
    }

    fn has_keys(&self) -> bool {
        !self.shape.keys.is_empty()
    }
}

fn is_name(text: &str) -> bool {
    /// As long as a name in Kubernetes.
    const LONGEST: usize = 63;
    let length = text.chars().count();
    (1..=LONGEST).contains(&length) && !text.chars().any(char::is_control)
}

/// A picked value is written as it is; a whole secret as the file's name asks for.
fn default_format(path: &FilePath, from: &Reference) -> Format {
    if from.key.is_some() { Format::Raw } else { Format::of(path) }
}

impl TryFrom<Fields> for FileEntry {
    type Error = EntryError;

    fn try_from(mut fields: Fields) -> Result<Self, EntryError> {
        let (path, is_directory) = match (fields.path.take(), fields.dir.take()) {
            (Some(path), None) => (path, false),
            (None, Some(path)) => (path, true),
            _ => return Err(EntryError::Target),
        };
        if fields.template.is_some() {
            return fields.templated(path, is_directory);
        }
        if fields.delimiters.is_some() {
            return Err(EntryError::Delimiters(path));
        }
        let from = fields.from.ok_or_else(|| EntryError::From(path.clone()))?;
        let from: Reference =
            from.parse().map_err(|error| EntryError::Reference(path.clone(), error))?;
        let content = match fields.format {
            Some(_) if is_directory => return Err(EntryError::Format(path)),
            None if is_directory => Content::Directory,
            format => Content::File(format.unwrap_or_else(|| default_format(&path, &from))),
        };
        let Fields { mode, optional, keys, dialect, decode, trim, group, .. } = fields;
        let shape = Shape { keys, dialect, decode, trim };
        Self { path, content, from: from.into(), mode, optional, shape, group }.coherent()
    }
}

impl Fields {
    /// The entry of a template.
    fn templated(self, path: FilePath, is_directory: bool) -> Result<FileEntry, EntryError> {
        if self.from.is_some() {
            return Err(EntryError::Both(path));
        }
        if is_directory {
            return Err(EntryError::TemplateDirectory(path));
        }
        if let Some(field) = self.of_a_secret() {
            return Err(EntryError::Templated { path, field });
        }
        let template =
            Template::parse(self.template.unwrap_or_default(), self.delimiters.unwrap_or_default());
        let template = template.map_err(|error| EntryError::Template(path.clone(), error))?;
        let Self { mode, optional, group, .. } = self;
        FileEntry { mode, optional, group, ..FileEntry::template(path, template) }.coherent()
    }

    /// A field that says what is done to one secret.
    fn of_a_secret(&self) -> Option<&'static str> {
        let fields = [
            ("format", self.format.is_some()),
            ("keys", !self.keys.is_empty()),
            ("dialect", self.dialect.is_some()),
            ("decode", self.decode.is_some()),
            ("trim", self.trim.is_some()),
        ];
        fields.into_iter().find(|(_, is_there)| *is_there).map(|(field, _)| field)
    }
}

impl From<FileEntry> for Fields {
    fn from(entry: FileEntry) -> Self {
        let format = match (entry.content, entry.from.secret()) {
            (Content::File(format), Some(from)) => {
                Some(format).filter(|format| *format != default_format(&entry.path, from))
            }
            _ => None,
        };
        let (path, dir) = match entry.content {
            Content::File(_) => (Some(entry.path), None),
            Content::Directory => (None, Some(entry.path)),
        };
        let from = entry.from.secret().map(Reference::to_string);
        let (template, delimiters) = match entry.from {
            Origin::Secret(_) => (None, None),
            Origin::Template(template) => {
                let delimiters = template.delimiters();
                let written = Some(delimiters).filter(|it| *it != Delimiters::default());
                (Some(template.text().to_owned()), written)
            }
        };
        let FileEntry { mode, optional, shape, group, .. } = entry;
        let Shape { keys, dialect, decode, trim } = shape;
        Self {
            path,
            dir,
            from,
            template,
            delimiters,
            format,
            mode,
            optional,
            keys,
            dialect,
            decode,
            trim,
            group,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: &str) -> Result<FileEntry, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_is_written_as_it_was_read() {
        for json in [
            r#"{"path":"db-password","from":"aws-sm:prod/db#password","mode":"0440"}"#,
            r#"{"dir":"certs","from":"vault:secret/tls","optional":true,"keys":["tls.crt","tls.key"]}"#,
            r#"{"path":"app.json","from":"vault:secret/app","format":"raw"}"#,
            r#"{"path":"tree.env","from":"vault:secret/app","keys":["A"]}"#,
            r#"{"path":"a.env","from":"vault:secret/app","keys":{"b":"B"},"dialect":"node"}"#,
            r#"{"path":"a.p12","from":"vault:secret/app#p12","decode":"base64","trim":"newline"}"#,
            r#"{"path":"a","from":"vault:secret/app","format":"pem","keys":["crt","key"]}"#,
            r#"{"path":"tls.crt","from":"vault:secret/tls#crt","group":"tls"}"#,
            r#"{"path":"app.json","template":"{{ secret('vault:secret/app').a }}\n","mode":"0440"}"#,
            r#"{"path":"a","template":"[[ secret('vault:a/b') ]]","delimiters":"[[ ]]","group":"x"}"#,
        ] {
            let entry = entry(json).expect(json);
            assert_eq!(serde_json::to_string(&entry).expect("an entry"), json);
        }
    }

    #[test]
    fn a_picked_value_is_raw_whatever_the_file_is_called() {
        let picked =
            entry(r#"{"path":"key.json","from":"vault:secret/app#key"}"#).expect("an entry");
        assert_eq!(picked.content, Content::File(Format::Raw));
    }

    #[test]
    fn each_fault_names_the_entry_and_the_remedy() {
        for (json, reason) in [
            (r#"{"from":"vault:a/b"}"#, "either `path`"),
            (r#"{"path":"a","dir":"b","from":"vault:a/b"}"#, "either `path`"),
            (r#"{"path":"a"}"#, "`a` needs `from`"),
            (r#"{"path":"a","from":"vault:"}"#, "`a`: the path after `vault:` is empty"),
            (r#"{"path":"../x","from":"vault:a/b"}"#, "begin with `..`"),
            (r#"{"path":"a","from":"aws-ssm:/prod/"}"#, "names a tree"),
            (r#"{"path":"a","from":"vault:a/b","keys":["x"]}"#, "`keys` needs a `format`"),
            (r#"{"path":"a.env","from":"vault:a/b#c","keys":["x"]}"#, "leave `#c` out"),
            (r#"{"dir":"a","from":"vault:a/b#c"}"#, "leave `#c` out"),
            (r#"{"dir":"a","from":"vault:a/b","format":"json"}"#, "`format` is for a `path`"),
            (r#"{"path":"a","from":"vault:a/b","mode":"0777"}"#, "lets everybody write"),
            (r#"{"path":"a","from":"vault:a/b","mode":420}"#, "write \"0644\""),
            (r#"{"path":"a.json","from":"vault:a/b","dialect":"sh"}"#, "is for `format: dotenv`"),
            (r#"{"dir":"a","from":"vault:a/b","dialect":"sh"}"#, "is for `format: dotenv`"),
            (r#"{"path":"a.env","from":"vault:a/b","dialect":"bash"}"#, "unknown variant `bash`"),
            (r#"{"path":"a","from":"vault:a/b","format":"pem"}"#, "`format: pem` needs `keys`"),
            (r#"{"path":"a","from":"vault:a/b","group":""}"#, "`a`: `group` is a name"),
            (r#"{"path":"a","from":"vault:a/b","template":"x"}"#, "`from` and `template` exclude"),
            (r#"{"dir":"a","template":"x"}"#, "use `path` instead of `dir`"),
            (r#"{"path":"a","template":"x"}"#, "`a`: `template`: the template names no secret"),
            (r#"{"path":"a","template":"\n{{"}"#, "`a`: `template`: line 2, column 1"),
            (r#"{"path":"a","template":"x","format":"json"}"#, "`format` goes with `from`"),
            (r#"{"path":"a","template":"x","keys":["a"]}"#, "`keys` goes with `from`"),
            (r#"{"path":"a","template":"x","trim":"newline"}"#, "`trim` goes with `from`"),
            (r#"{"path":"a","template":"x","delimiters":"((" }"#, "unknown variant `((`"),
            (r#"{"path":"a","from":"vault:a/b","delimiters":"[[ ]]"}"#, "goes with `template`"),
            (r#"{"path":"a","from":"vault:a/b","moed":"0400"}"#, "unknown field `moed`"),
        ] {
            let error = entry(json).expect_err(json);
            assert!(error.contains(reason), "{json}: `{error}` lacks `{reason}`");
        }
    }
}
