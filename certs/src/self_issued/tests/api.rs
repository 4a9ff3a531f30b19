//! As much of an API server as a replica's identity asks for, in memory: one configuration, some pods.

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

const WEBHOOKS: [&str; 2] = ["inject.mayfly.dev", "workloads.mayfly.dev"];

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
    bundles: Option<BTreeMap<String, Vec<u8>>>,
    pods: BTreeMap<String, &'static str>,
    down: bool,
    deaf: bool,
    writes: usize,
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

impl Api {
    /// With an empty configuration.
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
        self.change(|state| {
            state.bundles = Some(WEBHOOKS.map(|name| (name.to_owned(), Vec::new())).into());
        });
    }

    pub(super) fn uninstall(&self) {
        let object = self.object();
        self.change(|state| state.bundles = None);
        if let Some(object) = object {
            self.send("DELETED", &object);
        }
    }

    /// Writes `text` into every bundle, as anybody may.
    pub(super) fn overwrite(&self, text: &str) {
        self.change(|state| {
            for bundle in state.bundles.iter_mut().flat_map(BTreeMap::values_mut) {
                *bundle = text.as_bytes().to_vec();
            }
        });
    }

    /// The one bundle that every webhook has.
    pub(super) fn bundle(&self) -> Bundle {
        let state = self.state();
        let bundles: Vec<&Vec<u8>> = state.bundles.iter().flat_map(BTreeMap::values).collect();
        assert!(bundles.windows(2).all(|pair| pair[0] == pair[1]), "bundles differ");
        bundles.first().map(|text| Bundle::parse(text)).unwrap_or_default()
    }

    /// What the bundle trusts.
    pub(super) fn roots(&self) -> Vec<Der> {
        self.bundle().entries().iter().map(|entry| entry.certificate().clone()).collect()
    }

    /// Whose entries the bundle has.
    pub(super) fn names(&self) -> Vec<String> {
        let bundle = self.bundle();
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

    /// How many writes were accepted.
    pub(super) fn writes(&self) -> usize {
        self.state().writes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("a lock")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        {
            let mut state = self.state();
            change(&mut state);
            state.version += 1;
        }
        if let Some(object) = self.object() {
            self.send("MODIFIED", &object);
        }
    }

    fn send(&self, kind: &str, object: &Value) {
        if !self.state().deaf {
            let _nobody = self.0.changes.send(Some(line(kind, object)));
        }
    }

    fn object(&self) -> Option<Value> {
        let state = self.state();
        let webhooks = state.bundles.as_ref()?.iter().map(|(name, text)| {
            json!({
                "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {"caBundle": k8s_openapi::ByteString(text.clone())},
            })
        });
        Some(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "mayfly-webhook", "resourceVersion": state.version.to_string()},
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
                assert!(query.contains("fieldSelector=metadata.name%3Dmayfly-webhook"), "{query}");
                if query.contains("watch=true") { self.watch(&query) } else { self.list() }
            }
            Some("/mayfly-webhook") if method == Method::GET => {
                self.object().map_or_else(missing, |object| ok(&object))
            }
            Some("/mayfly-webhook") if method == Method::PATCH => {
                assert!(
                    query.contains("force=true") && query.contains("fieldManager=mayfly-webhook")
                );
                assert_eq!(kind.expect("a type"), "application/apply-patch+yaml");
                self.apply(&serde_json::from_slice(&body).expect("JSON"))
            }
            _ => match path.strip_prefix("/api/v1/namespaces/mayfly/pods/") {
                Some(name) => self.pod(name),
                None => panic!("{method} {uri}"),
            },
        })
    }

    fn list(&self) -> Answer {
        let version = self.state().version.to_string();
        ok(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfigurationList",
            "metadata": {"resourceVersion": version},
            "items": self.object().into_iter().collect::<Vec<_>>(),
        }))
    }

    /// Begins with what has changed since the version that is asked for.
    fn watch(&self, query: &str) -> Answer {
        let changes = self.0.changes.subscribe();
        let now = format!("resourceVersion={}", self.state().version);
        let missed = self.object().filter(|_| !query.split('&').any(|pair| pair == now));
        let missed = missed.map(|object| line("MODIFIED", &object));
        let missed = stream::iter(missed.map(|line| Ok(http_body::Frame::data(Bytes::from(line)))));
        let lines = stream::unfold(changes, |mut changes| async move {
            let line = changes.recv().await.ok()??;
            Some((Ok(http_body::Frame::data(Bytes::from(line))), changes))
        });
        Response::new(StreamBody::new(missed.chain(lines).boxed()).boxed_unsync())
    }

    fn pod(&self, name: &str) -> Answer {
        let phase = self.state().pods.get(name).copied();
        phase.map_or_else(missing, |phase| {
            ok(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": {"phase": phase}}))
        })
    }

    /// Server-side apply by one manager: nothing but the bundles, all of them, of the version that is there.
    fn apply(&self, patch: &Value) -> Answer {
        let Some(object) = self.object() else { return missing() };
        if patch["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
            return refusal(StatusCode::CONFLICT, "Conflict");
        }
        let webhooks = patch["webhooks"].as_array().expect("webhooks");
        assert_eq!(webhooks.len(), WEBHOOKS.len());
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
        self.state().writes += 1;
        self.change(|state| state.bundles = Some(bundles));
        self.object().map_or_else(missing, |object| ok(&object))
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
