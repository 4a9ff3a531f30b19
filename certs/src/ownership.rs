//! What the API server's books say that we own in a webhook configuration.
//!
//! PURE. Who applies server-side is kept from taking out a webhook of which somebody else still owns a part.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

/// Under this name the API server remembers whose the bundles are.
pub(crate) const MANAGER: &str = "mayfly-webhook";

/// The names of the webhooks of which we own a part.
pub(crate) fn owned(fields: &[ManagedFieldsEntry]) -> BTreeSet<String> {
    let ours = fields.iter().filter(|entry| {
        entry.manager.as_deref() == Some(MANAGER) && entry.operation.as_deref() == Some("Apply")
    });
    let webhooks = ours.filter_map(|entry| entry.fields_v1.as_ref()?.0["f:webhooks"].as_object());
    webhooks.flat_map(|webhooks| webhooks.keys()).filter_map(|key| name(key)).collect()
}

/// Of `k:{"name":"inject.mayfly.dev"}`.
fn name(key: &str) -> Option<String> {
    let key: Value = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
    Some(key["name"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_we_applied_is_ours_and_what_others_wrote_is_not() {
        let entry = |manager: &str, operation: &str, name: &str| {
            let key = format!("k:{}", json!({"name": name}));
            json!({
                "manager": manager, "operation": operation,
                "fieldsV1": {"f:webhooks": {".": {}, key: {"f:clientConfig": {"f:caBundle": {}}}}},
            })
        };
        let fields = json!([
            entry(MANAGER, "Apply", "inject.mayfly.dev"),
            entry(MANAGER, "Update", "updated"),
            entry("helm", "Apply", "helms"),
            {"manager": MANAGER, "operation": "Apply"},
        ]);
        let fields: Vec<ManagedFieldsEntry> = serde_json::from_value(fields).expect("fields");
        assert_eq!(owned(&fields), BTreeSet::from(["inject.mayfly.dev".to_owned()]));
    }
}
