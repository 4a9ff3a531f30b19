//! `SecretProviderClass`es of the providers that Mayfly replaces: AWS' and Vault's.
//!
//! PURE. Field names are those of the providers' documentation; what cannot be said in a reference becomes a note.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use mayfly_admission::{
    pod::{items, text},
    settings::Annotation,
};

/// The classes of a cluster, by namespace and name.
#[derive(Debug, Default)]
pub(crate) struct Classes(BTreeMap<(String, String), Class>);

/// One class: its files, its settings, and what cannot be translated.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) objects: Vec<Object>,
    pub(super) settings: Vec<(Annotation, String)>,
    pub(super) notes: Vec<String>,
    /// The Secrets that the driver makes: by Secret and key, the file.
    copies: BTreeMap<(String, String), String>,
}

/// One file of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) file: String,
    pub(super) reference: String,
}

impl Classes {
    /// Adds a `SecretProviderClass` as the API server has it.
    pub(crate) fn add(&mut self, class: &Value) {
        let metadata = class.get("metadata").unwrap_or(&Value::Null);
        let key = ["namespace", "name"].map(|field| text(metadata, field).to_owned());
        let spec = class.get("spec").unwrap_or(&Value::Null);
        self.0.insert(key.into(), Class::of(spec));
    }

    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<&Class> {
        self.0.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The reference behind a key of a Secret that one of the namespace's classes makes.
    pub(super) fn source(&self, namespace: &str, secret: &str, key: &str) -> Option<&str> {
        let copy = (secret.to_owned(), key.to_owned());
        let classes = self.0.iter().filter(|((of, _), _)| of == namespace).map(|(_, class)| class);
        classes.into_iter().find_map(|class| {
            let file = class.copies.get(&copy)?;
            let object = class.objects.iter().find(|object| object.file == *file)?;
            Some(object.reference.as_str())
        })
    }
}

impl Class {
    fn of(spec: &Value) -> Self {
        let parameters = spec.get("parameters").unwrap_or(&Value::Null);
        let mut class = match text(spec, "provider") {
            "aws" => Self::of_aws(parameters),
            "vault" => Self::of_vault(parameters),
            other => Self {
                notes: vec![format!("Mayfly has no source for the provider `{other}`")],
                ..Self::default()
            },
        };
        for copy in items(spec, "secretObjects") {
            for data in items(copy, "data") {
                let key = (text(copy, "secretName").to_owned(), text(data, "key").to_owned());
                class.copies.insert(key, flat(text(data, "objectName")));
            }
        }
        class
    }

    fn of_aws(parameters: &Value) -> Self {
        let mut class = Self::default();
        class.set(parameters, "region", Annotation::AwsRegion);
        if text(parameters, "usePodIdentity") == "true" {
            class.settings.push((Annotation::AwsIdentity, "pod-identity".to_owned()));
        }
        class.set(parameters, "failoverRegion", Annotation::AwsFailoverRegions);
        for object in class.objects::<AwsObject>(parameters) {
            class.add_aws(&object);
        }
        class
    }

    fn add_aws(&mut self, object: &AwsObject) {
        let AwsObject { object_name, object_alias, jmes_path, .. } = object;
        let file = flat(object_alias.as_ref().unwrap_or(object_name));
        let reference = object.reference();
        for JmesPath { path, object_alias } in jmes_path {
            match key(path) {
                Some(key) => self.push(object_alias, format!("{reference}#{key}")),
                None => self.notes.push(format!(
                    "the JMESPath `{path}` of `{object_name}` is more than a field; use a template"
                )),
            }
        }
        self.push(&file, reference);
    }

    fn of_vault(parameters: &Value) -> Self {
        let mut class = Self::default();
        for (field, annotation) in [
            ("roleName", Annotation::VaultRole),
            ("vaultAddress", Annotation::VaultAddress),
            ("vaultKubernetesMountPath", Annotation::VaultAuthPath),
            ("vaultNamespace", Annotation::VaultNamespace),
            ("audience", Annotation::VaultAudience),
        ] {
            class.set(parameters, field, annotation);
        }
        for object in class.objects::<VaultObject>(parameters) {
            let VaultObject { object_name, secret_path, secret_key, .. } = &object;
            if object.is_a_write() {
                let note = format!(
                    "`{object_name}` is made by a write to `{secret_path}`: say it as `vault-write:`"
                );
                class.notes.push(note);
                continue;
            }
            let path = escape(&shown_path(secret_path));
            let key =
                secret_key.as_ref().map_or_else(String::new, |key| format!("#{}", escape(key)));
            class.push(object_name, format!("vault:{path}{key}"));
        }
        class
    }

    fn set(&mut self, parameters: &Value, field: &str, annotation: Annotation) {
        let value = text(parameters, field);
        if !value.is_empty() {
            self.settings.push((annotation, value.to_owned()));
        }
    }

    fn push(&mut self, file: &str, reference: String) {
        self.objects.push(Object { file: flat(file), reference });
    }

    /// The objects, which are YAML in a parameter's text.
    fn objects<T: for<'de> Deserialize<'de>>(&mut self, parameters: &Value) -> Vec<T> {
        serde_saphyr::from_str(text(parameters, "objects")).unwrap_or_else(|_| {
            self.notes.push("`parameters.objects` cannot be read".to_owned());
            Vec::new()
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AwsObject {
    object_name: String,
    #[serde(default)]
    object_type: String,
    object_alias: Option<String>,
    object_version: Option<String>,
    object_version_label: Option<String>,
    #[serde(default)]
    jmes_path: Vec<JmesPath>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JmesPath {
    path: String,
    object_alias: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VaultObject {
    object_name: String,
    secret_path: String,
    secret_key: Option<String>,
    #[serde(default)]
    method: String,
    secret_args: Option<Value>,
}

impl AwsObject {
    fn reference(&self) -> String {
        let name = &self.object_name;
        let is_parameter = self.object_type == "ssmparameter";
        let label = if is_parameter { "label" } else { "stage" };
        let options: Vec<String> = [
            self.object_version.as_ref().map(|version| format!("version={}", escape(version))),
            self.object_version_label.as_ref().map(|stage| format!("{label}={}", escape(stage))),
        ]
        .into_iter()
        .flatten()
        // The provider takes a version before a label, and so must a reference, which takes one.
        .take(1)
        .collect();
        let options =
            if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) };
        match name.starts_with("arn:") {
            true => format!("{name}{options}"),
            false if is_parameter => format!("aws-ssm:{}{options}", escape(name)),
            false => format!("aws-sm:{}{options}", escape(name)),
        }
    }
}

impl VaultObject {
    fn is_a_write(&self) -> bool {
        matches!(self.method.to_ascii_uppercase().as_str(), "PUT" | "POST")
            || self.secret_args.is_some()
    }
}

/// The field that a `JMESPath` names: `a`, `"a-b"`, `a.b`; nothing when it computes.
fn key(path: &str) -> Option<String> {
    let parts = path.split('.').map(|part| {
        let quoted = part.strip_prefix('"').and_then(|part| part.strip_suffix('"'));
        let plain =
            |part: &str| part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        quoted.or_else(|| Some(part).filter(|part| plain(part))).filter(|part| !part.is_empty())
    });
    let parts: Option<Vec<&str>> = parts.collect();
    match parts?.as_slice() {
        [field] => Some(escape(field)),
        fields => {
            let token = |field: &&str| escape(&field.replace('~', "~0").replace('/', "~1"));
            let tokens: Vec<String> = fields.iter().map(token).collect();
            Some(format!("/{}", tokens.join("/")))
        }
    }
}

/// The path as a person gives it to `vault kv get`: without the `data` of KV's second version.
fn shown_path(path: &str) -> String {
    let path = path.trim_start_matches('/');
    match path.split_once("/data/") {
        Some((mount, rest)) if !mount.contains('/') => format!("{mount}/{rest}"),
        _ => path.to_owned(),
    }
}

/// The provider's own translation of a name into a file's.
fn flat(name: &str) -> String {
    name.trim_start_matches('/').replace('/', "_")
}

/// The characters that a reference writes otherwise.
fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('#', "%23")
        .replace('?', "%3F")
        .replace('&', "%26")
        .replace(' ', "%20")
}
