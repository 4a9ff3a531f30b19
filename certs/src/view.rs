//! The webhook configuration as this replica sees it: a bundle in each of its webhooks.
//!
//! PURE: from the API server's object, and to what is to be applied to it.

use k8s_openapi::{
    ByteString,
    api::admissionregistration::v1::{
        MutatingWebhook, MutatingWebhookConfiguration, WebhookClientConfig,
    },
};
use serde_json::{Value, json};

use crate::{
    bundle::{Bundle, Change, Entry},
    ownership::owned,
    replica::Replica,
};

/// One version of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    name: String,
    version: String,
    /// Those that are to trust us.
    webhooks: Vec<Webhook>,
    /// We own a part of another one.
    owns_others: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Webhook {
    name: String,
    bundle: Bundle,
}

impl From<MutatingWebhook> for Webhook {
    fn from(webhook: MutatingWebhook) -> Self {
        let text = webhook.client_config.ca_bundle.unwrap_or_default();
        Self { name: webhook.name, bundle: Bundle::parse(&text.0) }
    }
}

impl View {
    /// The object, of whose webhooks all but those that lead to `elsewhere` are to trust us.
    pub fn of(object: MutatingWebhookConfiguration, elsewhere: Option<&str>) -> Self {
        let owned = owned(object.metadata.managed_fields.as_deref().unwrap_or_default());
        let webhooks = object.webhooks.unwrap_or_default().into_iter();
        let webhooks = webhooks.filter(|it| !leads_to(&it.client_config, elsewhere));
        let webhooks: Vec<Webhook> = webhooks.map(Webhook::from).collect();
        let is_another = |name: &String| !webhooks.iter().any(|webhook| webhook.name == *name);
        Self {
            name: object.metadata.name.unwrap_or_default(),
            version: object.metadata.resource_version.unwrap_or_default(),
            owns_others: owned.iter().any(is_another),
            webhooks,
        }
    }

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

    /// Whether we own a part of a webhook that is not to trust us, and so keep others from taking it out.
    pub fn owns_others(&self) -> bool {
        self.owns_others
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

    /// Whether every bundle is as `change` wants it.
    pub fn is_as_wanted(&self, change: &Change<'_>) -> bool {
        let mut bundles = self.webhooks.iter().map(|webhook| &webhook.bundle);
        bundles.all(|bundle| bundle.is_as_good_as(&bundle.merge(change)))
    }

    /// What is to be applied so that every bundle is as `change` wants it, and we own no other.
    ///
    /// It names every webhook of ours, because what a field manager no longer applies is taken away, and of
    /// each the bundle alone, because what it does apply is its own. The version makes it a lock.
    pub fn apply(&self, change: &Change<'_>) -> Value {
        let webhooks = self.webhooks.iter().map(|webhook| {
            let text = ByteString(webhook.bundle.merge(change).to_string().into_bytes());
            json!({"name": webhook.name, "clientConfig": {"caBundle": text}})
        });
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": self.name, "resourceVersion": self.version},
            "webhooks": webhooks.collect::<Vec<_>>(),
        })
    }
}

/// Whether a webhook's path ends with `path`, be it behind a service or a URL.
fn leads_to(client: &WebhookClientConfig, path: Option<&str>) -> bool {
    let service = client.service.as_ref().and_then(|service| service.path.as_deref());
    path.zip(service.or(client.url.as_deref())).is_some_and(|(path, way)| way.ends_with(path))
}

#[cfg(test)]
mod tests;
