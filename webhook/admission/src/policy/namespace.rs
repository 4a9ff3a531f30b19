//! What is known of namespaces: labels, and the defaults that their annotations carry.
//!
//! PURE. Where it is known from is the server's business.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::settings::{DEFAULT_PREFIX, PREFIX};

/// The label that the API server gives to every namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// One namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its defaults, by the names of annotations without any prefix.
    pub defaults: BTreeMap<String, String>,
}

impl Namespace {
    /// A namespace of which nothing but its name is known.
    pub fn named(name: &str) -> Self {
        let labels = BTreeMap::from([(NAME_LABEL.to_owned(), name.to_owned())]);
        Self { name: name.to_owned(), labels, defaults: BTreeMap::new() }
    }

    /// The namespace with these labels and annotations, of which only the defaults are kept.
    pub fn new(
        name: &str,
        labels: impl IntoIterator<Item = (String, String)>,
        annotations: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut namespace = Self::named(name);
        namespace.labels.extend(labels);
        let defaults = annotations.into_iter();
        namespace.defaults =
            defaults.filter_map(|(key, value)| Some((suffix(&key)?.to_owned(), value))).collect();
        namespace
    }
}

/// The name of the annotation that `key` is a default for.
fn suffix(key: &str) -> Option<&str> {
    let (start, rest) = key.split_at_checked(PREFIX.len() + DEFAULT_PREFIX.len())?;
    let (prefix, kind) = start.split_at_checked(PREFIX.len())?;
    let is_default =
        prefix.eq_ignore_ascii_case(PREFIX) && kind.eq_ignore_ascii_case(DEFAULT_PREFIX);
    is_default.then_some(rest)
}

/// The namespaces that are known at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory(BTreeMap<String, Arc<Namespace>>);

impl Directory {
    /// The namespace `name`; where nobody needs to know more, its name is all of it.
    pub fn find(&self, name: &str, is_needed: bool) -> Option<Cow<'_, Namespace>> {
        if is_needed {
            self.0.get(name).map(|namespace| Cow::Borrowed(namespace.as_ref()))
        } else {
            Some(Cow::Owned(Namespace::named(name)))
        }
    }

    /// Whether the namespace `name` is known.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds a namespace, or what is new about it.
    pub fn insert(&mut self, namespace: Namespace) {
        self.0.insert(namespace.name.clone(), Arc::new(namespace));
    }

    /// Forgets a namespace.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }
}
