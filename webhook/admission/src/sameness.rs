//! When what is there says the same as what is wanted.
//!
//! PURE. The API server, and tools that copy pods, write out or leave out what says nothing.

use serde_json::Value;

/// Whether `present` says all that `wanted` does, and nothing else.
pub(crate) fn is_same(wanted: &Value, present: &Value) -> bool {
    match (wanted, present) {
        (Value::Object(wanted), Value::Object(present)) => {
            wanted
                .iter()
                .all(|(name, value)| present.get(name).is_some_and(|other| is_same(value, other)))
                && present.iter().all(|(name, value)| wanted.contains_key(name) || is_empty(value))
        }
        (Value::Array(wanted), Value::Array(present)) => {
            wanted.len() == present.len()
                && wanted.iter().zip(present).all(|(wanted, present)| is_same(wanted, present))
        }
        _ => wanted == present,
    }
}

/// Whether a member says nothing that its absence would not say.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Number(_) => false,
    }
}
