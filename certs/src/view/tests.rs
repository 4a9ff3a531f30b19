use std::{collections::BTreeSet, time::Duration};

use rustls::crypto::aws_lc_rs::default_provider;

use super::*;
use crate::issue::Wish;

/// One object with both webhooks, of which the replicas own `owned`.
fn object(owned: &[&str]) -> MutatingWebhookConfiguration {
    let webhook = |name: &str, client: Value| {
        json!({
            "name": name, "admissionReviewVersions": [], "sideEffects": "None", "clientConfig": client,
        })
    };
    let keys = owned.iter().map(|name| (format!("k:{}", json!({"name": name})), json!({})));
    let keys: serde_json::Map<_, _> = keys.collect();
    serde_json::from_value(json!({
        "metadata": {"name": "mayfly-webhook", "resourceVersion": "1", "managedFields": [{
            "manager": "mayfly-webhook", "operation": "Apply", "fieldsV1": {"f:webhooks": keys},
        }]},
        "webhooks": [
            webhook("pods", json!({"service": {"name": "a", "namespace": "b", "path": "/mutate"}})),
            webhook("workloads", json!({"url": "https://mayfly.example:8443/warn"})),
        ],
    }))
    .expect("a configuration")
}

fn entry(replica: &Replica) -> Entry {
    let wish = Wish {
        replica: replica.clone(),
        names: vec!["a".to_owned()],
        lifetime: Duration::from_mins(1),
    };
    let now = std::time::SystemTime::UNIX_EPOCH + Duration::from_mins(1_000_000);
    wish.issue(now, &default_provider()).expect("an identity").authority
}

fn applied_names(view: &View) -> Vec<String> {
    let replica = Replica::process("a");
    let own = [entry(&replica)];
    let none = BTreeSet::new();
    let change = Change { replica: &replica, own: &own, restored: &[], useless: &none };
    let applied = view.apply(&change);
    let webhooks = applied["webhooks"].as_array().expect("webhooks");
    webhooks.iter().map(|webhook| webhook["name"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn a_webhook_is_ours_by_where_it_leads_and_not_by_its_name() {
    for (elsewhere, ours) in [
        (None, &["pods", "workloads"][..]),
        (Some("/warn"), &["pods"]),
        (Some("/mutate"), &["workloads"]),
    ] {
        assert_eq!(applied_names(&View::of(object(&[]), elsewhere)), ours, "{elsewhere:?}");
    }
}

#[test]
fn what_is_owned_of_a_webhook_that_is_none_of_ours_is_noticed() {
    for (owned, elsewhere, owns_others) in [
        (&["pods", "workloads"][..], Some("/warn"), true),
        (&["pods"], Some("/warn"), false),
        (&["pods", "workloads"], None, false),
        (&["gone"], None, true),
    ] {
        let view = View::of(object(owned), elsewhere);
        assert_eq!(view.owns_others(), owns_others, "{owned:?} {elsewhere:?}");
    }
}
