//! What it means that an object was only added to.

use serde_json::Value;

/// Whether all of `before` is in `after`, in the same order.
pub fn is_kept(before: &Value, after: &Value) -> bool {
    match (before, after) {
        // A list that was explicitly nothing may have become one.
        (Value::Null, Value::Array(_)) => true,
        (Value::Object(before), Value::Object(after)) => {
            let kept = |(key, value): (&String, &Value)| {
                after.get(key).is_some_and(|other| is_kept(value, other))
            };
            let mut order = after.keys();
            before.iter().all(kept) && before.keys().all(|key| order.any(|other| other == key))
        }
        (Value::Array(before), Value::Array(after)) => {
            let mut rest = after.iter();
            before.iter().all(|item| rest.any(|other| is_kept(item, other)))
        }
        _ => before == after,
    }
}
