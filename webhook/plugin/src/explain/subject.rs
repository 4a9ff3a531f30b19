//! Who asks: a service account.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;
use serde_json::Value;

/// A service account of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The namespace.
    pub namespace: String,
    /// The service account.
    pub service_account: String,
}

/// As its tokens call it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "system:serviceaccount:{}:{}", self.namespace, self.service_account)
    }
}

/// All of them, for people.
pub(super) fn list(subjects: &BTreeSet<Subject>) -> String {
    subjects.iter().map(Subject::to_string).collect::<Vec<_>>().join(", ")
}

/// One text alone, several as a list: as IAM writes it.
pub(super) fn one_or_many<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Value {
    let mut texts: Vec<Value> = texts.into_iter().map(|text| Value::String(text.into())).collect();
    if texts.len() == 1 { texts.remove(0) } else { Value::Array(texts) }
}
