//! As much of an API server as a replica's identity asks for, in memory: configurations, some pods.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::{
    bundle::{Bundle, Der},
    replica::Replica,
};

pub(super) const PODS: &str = "mayfly-webhook";
pub(super) const WARNINGS: &str = "mayfly-webhook-warnings";
const INJECT: (&str, &str) = ("inject.mayfly.dev", "/mutate");
const WORKLOADS: (&str, &str) = ("workloads.mayfly.dev", "/warn");

#[derive(Clone)]
pub(super) struct Api(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Each is sent to every watch; nothing at all ends them.
    changes: broadcast::Sender<Option<String>>,
}

#[derive(Default)]
struct State {
    version: u64,
    /// Of each configuration, the one of its last change.
    versions: BTreeMap<String, u64>,
    configurations: BTreeMap<String, BTreeMap<String, Webhook>>,
    pods: BTreeMap<String, &'static str>,
    down: bool,
    deaf: bool,
    /// Configurations that nobody may write to.
    locked: Vec<&'static str>,
    writes: BTreeMap<String, usize>,
}

#[derive(Clone)]
struct Webhook {
    path: &'static str,
    bundle: Vec<u8>,
    /// The replicas own the bundle.
    owned: bool,
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

impl Api {
    /// With both configurations, and nothing in them.
    pub(super) fn new() -> Self {
        let api = Self::without_configuration();
        api.install();
        api
    }

    pub(super) fn without_configuration() -> Self {
        let (changes, _) = broadcast::channel(1000);
        Self(Arc::new(Inner { state: Mutex::default(), changes }))
    }

    pub(super) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request| {
            let api = api.clone();
            async move { api.answer(request).await }
        });
        Client::new(service, "default")
    }

    /// What `kubectl apply` and a deletion do.
    pub(super) fn install(&self) {
        self.put(PODS, &[INJECT], false);
        self.put(WARNINGS, &[WORKLOADS], false);
    }

    /// What an older release has installed, and its replicas have made their own: both webhooks in one.
    pub(super) fn install_as_one(&self) {
        self.put(PODS, &[INJECT, WORKLOADS], true);
    }

    fn put(&self, name: &str, webhooks: &[(&'static str, &'static str)], owned: bool) {
        let webhook = |&(name, path): &(&str, &'static str)| {
            (name.to_owned(), Webhook { path, bundle: Vec::new(), owned })
        };
        let webhooks = webhooks.iter().map(webhook).collect();
        self.change(name, |state| state.configurations.insert(name.to_owned(), webhooks));
    }

    pub(super) fn uninstall(&self, name: &str) {
        let object = self.object(name);
        self.change(name, |state| state.configurations.remove(name));
        if let Some(object) = object {
            self.send("DELETED", &object);
        }
    }

    /// Server-side apply of somebody who wants the webhook for pods alone in there: refused while the
    /// replicas own a part of another, because that part alone is no webhook.
    pub(super) fn drop_workloads(&self) -> Result<(), ()> {
        let state = self.state();
        let workloads = state.configurations[PODS].get(WORKLOADS.0);
        let is_refused = workloads.is_some_and(|webhook| webhook.owned);
        drop(state);
        if is_refused {
            return Err(());
        }
        self.change(PODS, |state| {
            let webhooks = state.configurations.get_mut(PODS);
            webhooks.map(|webhooks| webhooks.remove(WORKLOADS.0))
        });
        Ok(())
    }

    /// Writes `text` into every bundle, as anybody may.
    pub(super) fn overwrite(&self, text: &str) {
        self.overwrite_one(PODS, text);
        self.overwrite_one(WARNINGS, text);
    }

    /// Writes `text` into the bundles of one configuration.
    pub(super) fn overwrite_one(&self, name: &str, text: &str) {
        self.change(name, |state| {
            let webhooks = state.configurations.get_mut(name).into_iter();
            for webhook in webhooks.flat_map(BTreeMap::values_mut) {
                webhook.bundle = text.as_bytes().to_vec();
            }
        });
    }

    /// Refuses every write to one configuration.
    pub(super) fn lock(&self, name: &'static str) {
        self.state().locked.push(name);
    }

    /// The bundle that pods' reviews trust.
    pub(super) fn bundle(&self) -> Bundle {
        self.bundle_of(PODS)
    }

    /// The bundle of a configuration's first webhook.
    pub(super) fn bundle_of(&self, name: &str) -> Bundle {
        let state = self.state();
        let webhooks = state.configurations.get(name);
        let first = webhooks.and_then(|webhooks| webhooks.values().next());
        first.map(|webhook| Bundle::parse(&webhook.bundle)).unwrap_or_default()
    }

    /// What the bundle trusts.
    pub(super) fn roots(&self) -> Vec<Der> {
        self.bundle().entries().iter().map(|entry| entry.certificate().clone()).collect()
    }

    /// Whose entries the bundle has.
    pub(super) fn names(&self) -> Vec<String> {
        self.names_in(PODS)
    }

    /// Whose entries are in a configuration.
    pub(super) fn names_in(&self, configuration: &str) -> Vec<String> {
        let bundle = self.bundle_of(configuration);
        let name = |entry: &crate::bundle::Entry| {
            entry.replica().map_or("foreign", Replica::name).to_owned()
        };
        bundle.entries().iter().map(name).collect()
    }

    pub(super) fn set_pod(&self, name: &str, phase: Option<&'static str>) {
        let mut state = self.state();
        match phase {
            Some(phase) => state.pods.insert(name.to_owned(), phase),
            None => state.pods.remove(name),
        };
    }

    /// Refuses every request, and ends every watch.
    pub(super) fn set_down(&self, down: bool) {
        self.state().down = down;
        if down {
            self.break_watches();
        }
    }

    /// Watches say nothing any more, as when their connection is dead.
    pub(super) fn set_deaf(&self) {
        self.state().deaf = true;
    }

    pub(super) fn break_watches(&self) {
        let _nobody = self.0.changes.send(None);
    }

    /// How many writes to the bundle that pods' reviews trust were accepted.
    pub(super) fn writes(&self) -> usize {
        self.writes_to(PODS)
    }

    pub(super) fn writes_to(&self, name: &str) -> usize {
        self.state().writes.get(name).copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("a lock")
    }

    fn change<T>(&self, name: &str, change: impl FnOnce(&mut State) -> T) {
        {
            let mut state = self.state();
            change(&mut state);
            state.version += 1;
            let version = state.version;
            state.versions.insert(name.to_owned(), version);
        }
        if let Some(object) = self.object(name) {
            self.send("MODIFIED", &object);
        }
    }

    fn send(&self, kind: &str, object: &Value) {
        if !self.state().deaf {
            let _nobody = self.0.changes.send(Some(line(kind, object)));
        }
    }

    fn object(&self, name: &str) -> Option<Value> {
        let state = self.state();
        let configured = state.configurations.get(name)?;
        let webhooks = configured.iter().map(|(name, webhook)| {
            let service =
                json!({"namespace": "mayfly", "name": "mayfly-webhook", "path": webhook.path});
            let bundle = k8s_openapi::ByteString(webhook.bundle.clone());
            json!({
                "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {"service": service, "caBundle": bundle},
            })
        });
        let owned = configured.iter().filter(|(_, webhook)| webhook.owned);
        let owned: Value = owned
            .map(|(name, _)| (format!("k:{}", json!({"name": name})), json!({".": {}})))
            .collect::<serde_json::Map<_, _>>()
            .into();
        Some(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {
                "name": name, "resourceVersion": state.versions[name].to_string(),
                "managedFields": [{
                    "manager": "mayfly-webhook", "operation": "Apply", "fieldsV1": {"f:webhooks": owned},
                }],
            },
            "webhooks": webhooks.collect::<Vec<_>>(),
        }))
    }

    async fn answer(&self, request: Request<Body>) -> Result<Answer, std::io::Error> {
        // As long as a round trip takes, so that writers meet.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        if self.state().down {
            return Err(std::io::ErrorKind::ConnectionRefused.into());
        }
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let (path, query) = (uri.path(), uri.query().unwrap_or_default().to_owned());
        let kind = request.headers().get("content-type").cloned();
        let body = request.into_body().collect().await.expect("a body").to_bytes();
        let collection = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
        Ok(match path.strip_prefix(collection) {
            Some("") => {
                let mut pairs = query.split('&');
                let name = pairs.find_map(|it| it.strip_prefix("fieldSelector=metadata.name%3D"));
                let name = name.expect("the rights are for named objects alone");
                if query.contains("watch=true") {
                    self.watch(name, &query)
                } else {
                    self.list(name)
                }
            }
            Some(name) if method == Method::GET => {
                self.object(&name[1..]).map_or_else(missing, |object| ok(&object))
            }
            Some(name) if method == Method::PATCH => {
                assert!(
                    query.contains("force=true") && query.contains("fieldManager=mayfly-webhook")
                );
                assert_eq!(kind.expect("a type"), "application/apply-patch+yaml");
                self.apply(&name[1..], &serde_json::from_slice(&body).expect("JSON"))
            }
            _ => match path.strip_prefix("/api/v1/namespaces/mayfly/pods/") {
                Some(name) => self.pod(name),
                None => panic!("{method} {uri}"),
            },
        })
    }

    fn list(&self, name: &str) -> Answer {
        let version = self.state().version.to_string();
        ok(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfigurationList",
            "metadata": {"resourceVersion": version},
            "items": self.object(name).into_iter().collect::<Vec<_>>(),
        }))
    }

    /// Begins with what has changed since the version that is asked for.
    fn watch(&self, name: &str, query: &str) -> Answer {
        let changes = self.0.changes.subscribe();
        let asked = query.split('&').find_map(|pair| pair.strip_prefix("resourceVersion="));
        let asked: u64 = asked.and_then(|version| version.parse().ok()).unwrap_or_default();
        let is_missed = self.state().versions.get(name).is_some_and(|version| asked < *version);
        let missed = self.object(name).filter(|_| is_missed);
        let name = json!(name);
        let missed = missed.map(|object| line("MODIFIED", &object));
        let missed = stream::iter(missed.map(|line| Ok(http_body::Frame::data(Bytes::from(line)))));
        let lines = stream::unfold((changes, name), |mut changes| async move {
            loop {
                let line = changes.0.recv().await.ok()??;
                let change: Value = serde_json::from_str(&line).expect("JSON");
                if change["object"]["metadata"]["name"] == changes.1 {
                    break Some((Ok(http_body::Frame::data(Bytes::from(line))), changes));
                }
            }
        });
        Response::new(StreamBody::new(missed.chain(lines).boxed()).boxed_unsync())
    }

    fn pod(&self, name: &str) -> Answer {
        let phase = self.state().pods.get(name).copied();
        phase.map_or_else(missing, |phase| {
            ok(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": {"phase": phase}}))
        })
    }

    /// Server-side apply by one manager: nothing but bundles, of the version that is there; what is applied no
    /// more is taken away.
    fn apply(&self, name: &str, patch: &Value) -> Answer {
        let Some(object) = self.object(name) else { return missing() };
        if self.state().locked.contains(&name) {
            return refusal(StatusCode::FORBIDDEN, "Forbidden");
        }
        if patch["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
            return refusal(StatusCode::CONFLICT, "Conflict");
        }
        let webhooks = patch["webhooks"].as_array().expect("webhooks");
        let mut bundles = BTreeMap::new();
        for webhook in webhooks {
            let keys: Vec<&String> = webhook.as_object().expect("an object").keys().collect();
            assert_eq!(keys, ["name", "clientConfig"]);
            let config = webhook["clientConfig"].as_object().expect("an object");
            assert_eq!(config.keys().collect::<Vec<_>>(), ["caBundle"]);
            let text: k8s_openapi::ByteString =
                serde_json::from_value(config["caBundle"].clone()).expect("Base64");
            bundles.insert(webhook["name"].as_str().expect("a name").to_owned(), text.0);
        }
        *self.state().writes.entry(name.to_owned()).or_default() += 1;
        self.change(name, |state| {
            for (name, webhook) in state.configurations.get_mut(name).into_iter().flatten() {
                match bundles.remove(name) {
                    Some(bundle) => (webhook.bundle, webhook.owned) = (bundle, true),
                    None if webhook.owned => (webhook.bundle, webhook.owned) = (Vec::new(), false),
                    None => {}
                }
            }
            assert!(bundles.is_empty(), "no webhook is made");
        });
        self.object(name).map_or_else(missing, |object| ok(&object))
    }
}

fn line(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

fn ok(object: &Value) -> Answer {
    Response::new(Full::new(Bytes::from(object.to_string())).boxed_unsync())
}

fn missing() -> Answer {
    refusal(StatusCode::NOT_FOUND, "NotFound")
}

fn refusal(code: StatusCode, reason: &str) -> Answer {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "reason": reason, "message": reason, "code": code.as_u16(),
    });
    let mut answer = ok(&status);
    *answer.status_mut() = code;
    answer
}
