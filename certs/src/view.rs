//! The webhook configuration as this replica sees it: a bundle in each of its webhooks.
//!
//! PURE: from the API server's object, and to what is to be applied to it.

use k8s_openapi::{ByteString, api::admissionregistration::v1::MutatingWebhookConfiguration};
use serde_json::{Value, json};

use crate::{
    bundle::{Bundle, Change, Entry},
    replica::Replica,
};

/// One version of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    name: String,
    version: String,
    webhooks: Vec<Webhook>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Webhook {
    name: String,
    bundle: Bundle,
}

impl From<MutatingWebhookConfiguration> for View {
    fn from(object: MutatingWebhookConfiguration) -> Self {
        let webhooks = object.webhooks.unwrap_or_default().into_iter().map(|webhook| {
            let text = webhook.client_config.ca_bundle.unwrap_or_default();
            Webhook { name: webhook.name, bundle: Bundle::parse(&text.0) }
        });
        Self {
            name: object.metadata.name.unwrap_or_default(),
            version: object.metadata.resource_version.unwrap_or_default(),
            webhooks: webhooks.collect(),
        }
    }
}

impl View {
    /// Whether this version is older than `other`. Versions are opaque by contract and numbers in
    /// practice; what is no number is not older.
    pub fn is_older_than(&self, other: &Self) -> bool {
        let number = |view: &Self| view.version.parse::<u64>().ok();
        number(self).zip(number(other)).is_some_and(|(ours, theirs)| ours < theirs)
    }

    /// Whether every bundle holds all of `entries`.
    pub fn holds(&self, entries: &[Entry]) -> bool {
        let complete = |webhook: &Webhook| entries.iter().all(|entry| webhook.bundle.holds(entry));
        !self.webhooks.is_empty() && self.webhooks.iter().all(complete)
    }

    /// What every bundle trusts.
    pub fn trusted(&self) -> Vec<Entry> {
        let Some((first, others)) = self.webhooks.split_first() else { return Vec::new() };
        let everywhere = |entry: &&Entry| others.iter().all(|other| other.bundle.holds(entry));
        first.bundle.entries().iter().filter(everywhere).cloned().collect()
    }

    /// What Mayfly's other replicas have in any bundle.
    pub fn others(&self, replica: &Replica) -> Vec<Entry> {
        let entries = self.webhooks.iter().flat_map(|webhook| webhook.bundle.entries());
        let mut others: Vec<Entry> = entries
            .filter(|entry| entry.replica().is_some_and(|it| it != replica))
            .cloned()
            .collect();
        others.sort();
        others.dedup();
        others
    }

    /// How many blocks of all bundles are no certificates.
    pub fn unreadable(&self) -> usize {
        self.webhooks.iter().map(|webhook| webhook.bundle.unreadable()).sum()
    }

    /// What is to be applied so that every bundle is as `change` wants it; nothing, if all of them are.
    ///
    /// It names every webhook, because what a field manager no longer applies is taken away, and of each
    /// the bundle alone, because what it does apply is its own. The version makes it a lock.
    pub fn apply(&self, change: &Change<'_>) -> Option<Value> {
        let merged: Vec<Bundle> =
            self.webhooks.iter().map(|webhook| webhook.bundle.merge(change)).collect();
        let mut pairs = self.webhooks.iter().zip(&merged);
        if pairs.all(|(webhook, merged)| webhook.bundle.is_as_good_as(merged)) {
            return None;
        }
        let webhooks = self.webhooks.iter().zip(&merged).map(|(webhook, bundle)| {
            let text = ByteString(bundle.to_string().into_bytes());
            json!({"name": webhook.name, "clientConfig": {"caBundle": text}})
        });
        Some(json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": self.name, "resourceVersion": self.version},
            "webhooks": webhooks.collect::<Vec<_>>(),
        }))
    }
}
