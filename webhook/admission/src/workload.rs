//! What makes pods: where an object has its pods' templates, and where our annotations are in vain.
//!
//! PURE. Of Kubernetes' own kinds the place is known; in any other object every template is found by its shape, a `spec`
//! with `containers`. One walk over the object, whatever is in it, and so many templates as an honest one has.

mod place;

use serde_json::{Map, Value};

use crate::{
    fault::quote,
    pod::text,
    settings::{DEFAULT_PREFIX, suffix},
};
use place::Place;

/// More than any kind has.
const MOST_TEMPLATES: usize = 16;
/// Enough to see what is wrong.
const MOST_STRAYS: usize = 8;

/// Where an object has a pod, and whether that pod is meant to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Where it is in the object; empty when the object is the pod.
    pub pointer: String,
    /// Whether the pod is meant to end.
    pub ends: bool,
}

impl Template {
    /// Where it is, for people.
    pub fn place(&self) -> String {
        place::shown(&self.pointer)
    }
}

/// The templates of one object, and what of ours is in none.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Templates {
    /// In the order of the object.
    pub list: Vec<Template>,
    /// Whether the object is of a kind that is known to make pods.
    is_known: bool,
    /// Where our annotations would be right.
    meant: Option<String>,
    /// Places of our keys where they have no effect.
    strays: Vec<Stray>,
    has_more: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Stray {
    pointer: String,
    key: String,
}

/// Where Kubernetes' own kinds have their pod.
fn known(object: &Value) -> Option<(&'static str, bool)> {
    let group = text(object, "apiVersion").split_once('/').map_or("", |(group, _)| group);
    match (group, text(object, "kind")) {
        ("", "Pod") => Some(("", false)),
        ("", "PodTemplate") => Some(("/template", false)),
        (
            "" | "apps" | "extensions",
            "ReplicationController" | "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet",
        ) => Some(("/spec/template", false)),
        ("batch", "Job") => Some(("/spec/template", true)),
        ("batch", "CronJob") => Some(("/spec/jobTemplate/spec/template", true)),
        _ => None,
    }
}

impl Templates {
    /// The templates of `object`.
    pub fn of(object: &Value) -> Self {
        let known = known(object);
        let mut search = Search {
            known: known.map(|(pointer, ends)| (object.pointer(pointer), ends)),
            is_namespace: text(object, "kind") == "Namespace",
            found: Self {
                is_known: known.is_some(),
                meant: known.map(|(pointer, _)| pointer.to_owned()),
                ..Self::default()
            },
        };
        search.look(object, Place::Root, Role::Outside);
        let mut found = search.found;
        let first = found.list.first().map(|template| template.pointer.clone());
        found.meant = found.meant.or(first);
        found
    }

    /// Whether the object makes no pods, and has nothing of ours.
    pub fn is_empty(&self) -> bool {
        !self.is_known && self.list.is_empty() && self.strays.is_empty()
    }

    /// What has no effect where it is. The commonest mistake: our annotations on the workload instead of its pods.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let more = self.has_more.then(|| {
            format!("mayfly: only the first {MOST_TEMPLATES} pod templates are looked at")
        });
        self.strays.iter().map(|stray| self.warning(stray)).chain(more)
    }

    fn warning(&self, Stray { pointer, key }: &Stray) -> String {
        let key = quote(key);
        let place = quote(&place::shown(pointer));
        let place =
            if pointer == "/metadata/annotations" { "here" } else { &format!("in `{place}`") };
        match &self.meant {
            Some(meant) => {
                let meant = place::shown(&format!("{meant}/metadata/annotations"));
                format!("mayfly: `{key}` has no effect {place}; move it to `{}`", quote(&meant))
            }
            None => format!(
                "mayfly: `{key}` {place} is in no pod template; nothing is known of its pods"
            ),
        }
    }
}

/// What a place is to a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Outside,
    Template,
    Metadata,
    Annotations,
    Inside,
}

struct Search<'a> {
    /// The template of a known kind, if it is there, and whether its pod is meant to end.
    known: Option<(Option<&'a Value>, bool)>,
    is_namespace: bool,
    found: Templates,
}

impl Search<'_> {
    fn look(&mut self, value: &Value, place: Place<'_>, role: Role) {
        let role = if role == Role::Outside { self.role(value, &place) } else { role };
        match value {
            Value::Object(fields) => {
                if role != Role::Annotations {
                    self.note_stray(fields, &place);
                }
                for (name, value) in fields {
                    let role = of_child(role, name);
                    self.look(value, Place::Field(&place, name), role);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.look(item, Place::Item(&place, index), role);
                }
            }
            _ => {}
        }
    }

    fn role(&mut self, value: &Value, place: &Place<'_>) -> Role {
        let (is_template, ends) = match self.known {
            Some((template, ends)) => {
                (template.is_some_and(|template| std::ptr::eq(template, value)), Some(ends))
            }
            None => (has_containers(value), None),
        };
        if !is_template {
            return Role::Outside;
        }
        if self.found.list.len() == MOST_TEMPLATES {
            self.found.has_more = true;
        } else {
            let pointer = place.pointer();
            let ends = ends.unwrap_or_else(|| pointer.to_ascii_lowercase().contains("job"));
            self.found.list.push(Template { pointer, ends });
        }
        Role::Template
    }

    /// One key of a place tells of it.
    fn note_stray(&mut self, fields: &Map<String, Value>, place: &Place<'_>) {
        if self.found.strays.len() == MOST_STRAYS {
            return;
        }
        let in_vain = |key: &&String| {
            let is_default = |suffix: &str| suffix.to_ascii_lowercase().starts_with(DEFAULT_PREFIX);
            suffix(key).is_some_and(|suffix| !(self.is_namespace && is_default(suffix)))
        };
        if let Some(key) = fields.keys().find(in_vain) {
            self.found.strays.push(Stray { pointer: place.pointer(), key: key.clone() });
        }
    }
}

fn of_child(role: Role, name: &str) -> Role {
    match (role, name) {
        (Role::Outside, _) => Role::Outside,
        (Role::Template, "metadata") => Role::Metadata,
        (Role::Metadata, "annotations") => Role::Annotations,
        _ => Role::Inside,
    }
}

/// The shape of a template.
fn has_containers(value: &Value) -> bool {
    let containers = value.get("spec").and_then(|spec| spec.get("containers"));
    containers
        .and_then(Value::as_array)
        .is_some_and(|containers| !containers.is_empty() && containers.iter().all(Value::is_object))
}

#[cfg(test)]
mod tests;
