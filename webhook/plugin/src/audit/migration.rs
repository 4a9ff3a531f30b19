//! Pods that take secrets from Secret objects or from a `SecretProviderClass`, and the annotations that would replace
//! them.
//!
//! PURE. Only names are read: where a Secret's content comes from is known when a `SecretProviderClass` makes it, and
//! asked of the reader otherwise.

mod classes;
mod uses;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;
use serde_json::Value;

use super::survey::told_of;
pub(crate) use classes::Classes;
use classes::Object;
use mayfly_admission::{
    pod::text,
    settings::{Annotation, PREFIX},
};
use uses::{Use, Uses};

/// The longest name of a file that still fits into an annotation's key.
const LONGEST_NAME: usize = 58;

/// One workload's way to Mayfly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Migration {
    /// In which namespace.
    pub(crate) namespace: String,
    /// The workload or pod.
    pub(crate) object: String,
    /// How it takes secrets now.
    pub(crate) uses: Vec<String>,
    /// The annotations of its pods that would replace them.
    pub(crate) annotations: BTreeMap<String, String>,
    /// What a person must look at.
    pub(crate) notes: Vec<String>,
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}/{}", self.namespace, self.object)?;
        self.uses.iter().try_for_each(|used| writeln!(f, "  uses {used}"))?;
        for (key, value) in &self.annotations {
            // JSON's quotes are YAML's too.
            let value = Value::String(value.clone());
            writeln!(f, "    {key}: {value}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  note: {note}"))
    }
}

/// Migrations in the making: pods of one owner are one.
#[derive(Debug)]
pub(crate) struct Migrations<'a> {
    classes: &'a Classes,
    found: BTreeMap<(String, String), Migration>,
}

impl<'a> Migrations<'a> {
    pub(crate) fn new(classes: &'a Classes) -> Self {
        Self { classes, found: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, pod: &Value) {
        let metadata = pod.get("metadata").unwrap_or(&Value::Null);
        let object = told_of(metadata);
        let key = (text(metadata, "namespace").to_owned(), object);
        if self.found.contains_key(&key) {
            return;
        }
        let uses = Uses::of(pod);
        if uses.0.is_empty() {
            return;
        }
        let plan = Plan::new(self.classes, &key.0).make(&uses);
        let (namespace, object) = key.clone();
        let uses = uses.0.iter().map(ToString::to_string).collect();
        let Plan { annotations, notes, .. } = plan;
        let notes = notes.into_iter().collect();
        self.found.insert(key, Migration { namespace, object, uses, annotations, notes });
    }

    pub(crate) fn finish(self) -> Vec<Migration> {
        self.found.into_values().collect()
    }
}

/// The annotations of one pod in the making.
struct Plan<'a> {
    classes: &'a Classes,
    namespace: &'a str,
    annotations: BTreeMap<String, String>,
    notes: BTreeSet<String>,
    variables: Vec<String>,
    mount_paths: BTreeSet<String>,
}

impl<'a> Plan<'a> {
    fn new(classes: &'a Classes, namespace: &'a str) -> Self {
        let annotations = BTreeMap::from([(Annotation::Inject.to_string(), "true".to_owned())]);
        Self {
            classes,
            namespace,
            annotations,
            notes: BTreeSet::new(),
            variables: Vec::new(),
            mount_paths: BTreeSet::new(),
        }
    }

    fn make(mut self, uses: &Uses) -> Self {
        for used in &uses.0 {
            self.replace(used);
        }
        if !self.variables.is_empty() {
            self.set(Annotation::PathEnv, &self.variables.join(","));
            self.note("an environment variable would hold a file's path, not the value: the app must read `…_FILE`");
        }
        let paths: Vec<String> = std::mem::take(&mut self.mount_paths).into_iter().collect();
        match paths.as_slice() {
            [] => {}
            [path] => self.set(Annotation::MountPath, path),
            _ => self.note(&format!("files are at one place: choose one of {}", paths.join(", "))),
        }
        self
    }

    fn replace(&mut self, used: &Use) {
        match used {
            Use::Variable { name, secret, key } => {
                let file = file_name(&format!("{secret}-{key}"));
                let reference = self.reference(secret, Some(key));
                self.variables.push(format!("{name}_FILE={file}"));
                self.file("file", &file, &reference);
            }
            Use::Variables { secret } => {
                let reference = self.reference(secret, None);
                self.file("file", &file_name(&format!("{secret}.env")), &reference);
                self.note(&format!(
                    "all keys of the Secret `{secret}` are variables: the app must read them from the file instead"
                ));
            }
            Use::Volume { secret, path, items } => {
                self.mount_paths.extend(path.clone());
                if items.is_empty() {
                    let reference = self.reference(secret, None);
                    self.file("dir", &file_name(secret), &reference);
                    self.note(&format!(
                        "the files of the Secret `{secret}` would lie in a folder of its name; list them as `file.<name>` to have them beside each other"
                    ));
                }
                for (key, file) in items {
                    let reference = self.reference(secret, Some(key));
                    self.file("file", &file_name(file), &reference);
                }
            }
            Use::ProviderClass { class, path } => {
                self.mount_paths.extend(path.clone());
                self.replace_class(class);
            }
        }
    }

    fn replace_class(&mut self, name: &str) {
        let Some(class) = self.classes.find(self.namespace, name) else {
            self.note(&format!("the SecretProviderClass `{name}` does not exist"));
            return;
        };
        for Object { file, reference } in &class.objects {
            self.file("file", &file_name(file), reference);
        }
        for (annotation, value) in &class.settings {
            self.set(*annotation, value);
        }
        self.notes.extend(class.notes.iter().cloned());
    }

    /// Where the content of a Secret comes from, as far as that can be known without reading it.
    fn reference(&mut self, secret: &str, key: Option<&str>) -> String {
        if let Some(reference) =
            key.and_then(|key| self.classes.source(self.namespace, secret, key))
        {
            return reference.to_owned();
        }
        let what = key.map_or_else(String::new, |key| format!(", key {key}"));
        self.note("write the source, such as `aws-sm:prod/db#password`, where `<…>` stands");
        format!("<source of Secret {secret}{what}>")
    }

    fn file(&mut self, kind: &str, name: &str, reference: &str) {
        self.annotations.insert(format!("{PREFIX}{kind}.{name}"), reference.to_owned());
    }

    fn set(&mut self, annotation: Annotation, value: &str) {
        self.annotations.insert(annotation.to_string(), value.to_owned());
    }

    fn note(&mut self, note: &str) {
        self.notes.insert(note.to_owned());
    }
}

/// `name` in the letters of an annotation's key.
fn file_name(name: &str) -> String {
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let legal = name.chars().map(|letter| if is_legal(letter) { letter } else { '_' });
    let legal: String = legal.take(LONGEST_NAME).collect();
    legal.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).to_owned()
}
