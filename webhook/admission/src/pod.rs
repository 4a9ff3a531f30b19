//! A read-only view of a pod's raw JSON, checked once for the shapes that we read and write.
//!
//! PURE. Fields that this code does not know are none of its business.

use serde_json::{Map, Value};

use crate::{bounds, fault::Fault};

/// One of a pod's two lists of containers that are started with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    /// `initContainers`.
    Init,
    /// `containers`.
    Regular,
}

impl List {
    /// The field's name.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Regular => "containers",
        }
    }
}

/// Where a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// In which list.
    pub list: List,
    /// At which index.
    pub index: usize,
}

/// A pod, or the template of one.
#[derive(Debug, Clone, Copy)]
pub struct Pod<'a> {
    value: &'a Value,
    /// Whether its owner is meant to end, so that `restartPolicy` may not be `Always`.
    ends: bool,
}

/// Lists of objects that are read or extended, below each container.
const CONTAINER_LISTS: [&str; 2] = ["env", "volumeMounts"];

impl<'a> Pod<'a> {
    /// The view of `value`, which must have a pod's shape where we look.
    pub fn read(value: &'a Value) -> Result<Self, Fault> {
        let pod = Self { value, ends: false };
        let spec = pod.spec();
        if !spec.is_object() {
            return Err(Fault::new("spec", "missing, or no object"));
        }
        for list in ["containers", "initContainers", "volumes"] {
            check_list(spec, list, || format!("spec.{list}"))?;
        }
        bounds::containers(pod.containers().count())
            .map_err(|excess| Fault::new("spec", excess))?;
        for (position, container) in pod.containers() {
            for list in CONTAINER_LISTS {
                check_list(container, list, || format!("{}.{list}", place(position)))?;
            }
        }
        Ok(pod)
    }

    /// The same pod, as its owner starts it: a Job's is meant to end.
    #[must_use]
    pub fn of_owner(self, ends: bool) -> Self {
        Self { ends, ..self }
    }

    /// The annotations, if there are any.
    pub fn annotations(value: &'a Value) -> Option<&'a Map<String, Value>> {
        value.get("metadata")?.get("annotations")?.as_object()
    }

    /// The annotation `name`.
    pub fn annotation(&self, name: &str) -> Option<&'a Value> {
        self.all_annotations()?.get(name)
    }

    /// The pod's annotations.
    pub fn all_annotations(&self) -> Option<&'a Map<String, Value>> {
        Self::annotations(self.value)
    }

    /// Whether the pod has the label `name`.
    pub fn has_label(&self, name: &str) -> bool {
        let labels = self.value.get("metadata").and_then(|metadata| metadata.get("labels"));
        labels.is_some_and(|labels| labels.get(name).is_some())
    }

    fn spec(&self) -> &'a Value {
        self.value.get("spec").unwrap_or(&Value::Null)
    }

    /// A field of the spec.
    pub fn field(&self, name: &str) -> Option<&'a Value> {
        self.spec().get(name)
    }

    /// The containers of one list, in their order.
    pub fn list(&self, list: List) -> &'a [Value] {
        items(self.spec(), list.field())
    }

    /// All containers, in the order in which they are started.
    pub fn containers(&self) -> impl Iterator<Item = (Position, &'a Value)> {
        let pod = *self;
        [List::Init, List::Regular].into_iter().flat_map(move |list| {
            let at = move |index| Position { list, index };
            pod.list(list).iter().enumerate().map(move |(index, container)| (at(index), container))
        })
    }

    /// The container at `position`.
    pub fn container(&self, position: Position) -> &'a Value {
        self.list(position.list).get(position.index).unwrap_or(&Value::Null)
    }

    /// The volumes.
    pub fn volumes(&self) -> &'a [Value] {
        items(self.spec(), "volumes")
    }

    /// A field of the pod's security context.
    pub fn security(&self, field: &str) -> Option<&'a Value> {
        self.field("securityContext")?.get(field)
    }

    /// Whether the pod's containers are started anew whenever they end.
    pub fn runs_forever(&self) -> bool {
        match self.field("restartPolicy").and_then(Value::as_str) {
            Some(policy) => policy == "Always",
            None => !self.ends,
        }
    }
}

fn check_list(object: &Value, field: &str, place: impl FnOnce() -> String) -> Result<(), Fault> {
    let sound = match object.get(field) {
        None | Some(Value::Null) => true,
        Some(list) => list.as_array().is_some_and(|list| list.iter().all(Value::is_object)),
    };
    sound.then_some(()).ok_or_else(|| Fault::new(place(), "no list of objects"))
}

/// The list `field` of `object`; empty when there is none.
pub fn items<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The text of `field`; empty when there is none.
pub fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a container of `initContainers` goes on running beside the others.
pub fn is_native_sidecar(container: &Value) -> bool {
    text(container, "restartPolicy") == "Always"
}

/// The field's path, as Kubernetes writes it.
pub fn place(position: Position) -> String {
    format!("spec.{}[{}]", position.list.field(), position.index)
}
