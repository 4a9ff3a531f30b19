//! Manifests as text: the documents of a file, each as it would be admitted.
//!
//! PURE. What is not ours is not even parsed, and comes out byte for byte; of what is, the comments
//! before the first field stay.

mod document;

use std::borrow::Cow;

use serde_json::Value;
use thiserror::Error;

use crate::{
    config::Config,
    fault::{Fault, Faults, quote},
    pod::text,
    policy::Namespace,
    review::{Outcome, inject},
    workload::{Template, Templates},
};
pub use document::{EmitError, ParseError};

use document::Document;

/// A manifest as it would be admitted.
#[derive(Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The whole text.
    pub text: String,
    /// What is legal and doubtful, each with its object.
    pub warnings: Vec<String>,
    /// The pods that have an agent.
    pub pods: Vec<AdmittedPod>,
}

/// A pod, or the template of one, with its agent.
#[derive(Debug, PartialEq, Eq)]
pub struct AdmittedPod {
    /// What makes it, or `Pod`.
    pub kind: String,
    /// What a person calls that.
    pub name: String,
    /// Where it is.
    pub namespace: String,
    /// The pod.
    pub pod: Value,
}

/// Why a manifest would not be admitted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Pods that ask for what they cannot get, each with its object.
    #[error("{}", .0.iter().map(|(object, faults)| format!("{object}: {faults}")).collect::<Vec<_>>().join("\n"))]
    Denied(Vec<(String, Faults)>),
    /// A document that cannot be read.
    #[error("document {0}")]
    Parse(usize, #[source] ParseError),
    /// A document that cannot be written.
    #[error("document {0}")]
    Emit(usize, #[source] EmitError),
}

/// Injects into every pod and every pod template of `text`; what names no namespace is in `namespace`.
pub fn admit(
    config: &Config,
    namespace: &Namespace,
    text: &str,
) -> Result<Admitted, ManifestError> {
    let mut admission =
        Admission { config, namespace, denied: Vec::new(), warnings: Vec::new(), pods: Vec::new() };
    let mut admitted = String::with_capacity(text.len());
    for (number, document) in (1..).zip(Document::split(text)) {
        match admission.admit(number, &document)? {
            Some(value) => {
                let text = document.emit(&value);
                admitted.push_str(&text.map_err(|error| ManifestError::Emit(number, error))?);
            }
            None => admitted.push_str(document.text()),
        }
    }
    if admission.denied.is_empty() {
        let Admission { warnings, pods, .. } = admission;
        Ok(Admitted { text: admitted, warnings, pods })
    } else {
        Err(ManifestError::Denied(admission.denied))
    }
}

struct Admission<'a> {
    config: &'a Config,
    namespace: &'a Namespace,
    denied: Vec<(String, Faults)>,
    warnings: Vec<String>,
    pods: Vec<AdmittedPod>,
}

impl Admission<'_> {
    /// The document with everything in it; nothing, when it stays as it is.
    fn admit(
        &mut self,
        number: usize,
        document: &Document<'_>,
    ) -> Result<Option<Value>, ManifestError> {
        if !document.may_concern_us() {
            return Ok(None);
        }
        let mut value = document.parse().map_err(|error| ManifestError::Parse(number, error))?;
        let changed = self.admit_object(number, &mut value);
        Ok(changed.then_some(value))
    }

    /// Where the object is. Of another namespace than the given one nothing but its name is known.
    fn namespace(&self, object: &Value) -> Cow<'_, Namespace> {
        match text(object.get("metadata").unwrap_or(&Value::Null), "namespace") {
            name if name.is_empty() || name == self.namespace.name => Cow::Borrowed(self.namespace),
            name => Cow::Owned(Namespace::named(name)),
        }
    }

    fn admit_object(&mut self, number: usize, object: &mut Value) -> bool {
        if let Some(items) = items(object) {
            let mut changed = false;
            for item in items {
                changed |= self.admit_object(number, item);
            }
            return changed;
        }
        let templates = Templates::of(object);
        let (label, name) = (label(number, object), name(object));
        let warnings = templates.warnings();
        self.warnings.extend(warnings.map(|warning| format!("{label}: {warning}")));
        let is_one = templates.list.len() < 2;
        let mut changed = false;
        for template in &templates.list {
            let place = if is_one { String::new() } else { format!(", {}", template.place()) };
            let names = (format!("{label}{place}"), format!("{name}{place}"));
            changed |= self.admit_template(names, template, object);
        }
        changed
    }

    /// Of an object with several templates each has its place in its names.
    fn admit_template(
        &mut self,
        (label, name): (String, String),
        template: &Template,
        object: &mut Value,
    ) -> bool {
        let kind = text(object, "kind").to_owned();
        let namespace = self.namespace(object).into_owned();
        let Some(pod) = object.pointer_mut(&template.pointer) else {
            return false;
        };
        match inject(self.config, Some(&namespace), pod.clone(), template.ends).outcome {
            Outcome::Nothing(_) => false,
            Outcome::Denied(faults) => {
                self.denied.push((label, faults));
                false
            }
            Outcome::Injected(injected) => {
                let warnings = injected.warnings.into_iter();
                self.warnings.extend(warnings.map(|warning| format!("{label}: {warning}")));
                match injected.edited.finish() {
                    Ok((admitted, changed)) => {
                        pod.clone_from(&admitted);
                        let namespace = namespace.name;
                        self.pods.push(AdmittedPod { kind, name, namespace, pod: admitted });
                        changed
                    }
                    Err(error) => {
                        self.denied.push((label, Fault::new("spec", error).into()));
                        false
                    }
                }
            }
        }
    }
}

/// The items of a list of objects.
fn items(object: &mut Value) -> Option<&mut Vec<Value>> {
    if !text(object, "kind").ends_with("List") {
        return None;
    }
    object.get_mut("items").and_then(Value::as_array_mut)
}

/// What a person calls the object.
fn label(number: usize, object: &Value) -> String {
    format!("document {number}, {} {}", text(object, "kind"), name(object))
}

fn name(object: &Value) -> String {
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let name = ["name", "generateName"].map(|field| text(metadata, field));
    quote(name.into_iter().find(|name| !name.is_empty()).unwrap_or("without a name"))
}

#[cfg(test)]
mod tests;
