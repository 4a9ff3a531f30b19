//! A second mutating webhook, which this process serves: it rewrites the pods of one namespace as a test tells it to.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result, ensure};
use axum::{Json, Router, extract::State, routing::post, serve::Listener};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use mayfly_tests::lab::{
    addresses::HOST,
    condition::{PATIENCE, eventually},
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{manifest::Manifest, operator, tenant::Tenant};

/// What it does to a pod's `spec`.
type Change = dyn Fn(&mut Value) + Send + Sync;

/// A webhook that is asked about each new pod of one tenant.
#[derive(Debug)]
pub(crate) struct Neighbour {
    serving: JoinHandle<()>,
}

/// When it is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    /// Before Mayfly.
    Before,
    /// Before Mayfly, and again when Mayfly has changed something.
    BeforeAndAgain,
    /// After Mayfly, once.
    After,
    /// After Mayfly, and after whatever Mayfly puts right.
    AfterAll,
}

impl Turn {
    /// The API server asks webhooks in the order of their registrations' names.
    fn name(self) -> &'static str {
        match self {
            Self::Before | Self::BeforeAndAgain => "a-neighbour",
            Self::After | Self::AfterAll => "z-neighbour",
        }
    }

    fn reinvocation(self) -> &'static str {
        match self {
            Self::Before | Self::After => "Never",
            Self::BeforeAndAgain | Self::AfterAll => "IfNeeded",
        }
    }
}

#[derive(Clone)]
struct Office {
    change: Arc<Change>,
    asked: Arc<AtomicUsize>,
}

impl Neighbour {
    /// Serves and registers, and waits until the API server asks.
    pub(crate) async fn of(
        tenant: &Tenant<'_>,
        turn: Turn,
        change: impl Fn(&mut Value) + Send + Sync + 'static,
    ) -> Result<Self> {
        let office = Office { change: Arc::new(change), asked: Arc::default() };
        let pair = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        let door = Door::open(&pair).await?;
        let registration = registration(tenant, turn, door.local_addr()?, &pair.cert.pem()).await?;
        let router = Router::new().fallback(post(answer)).with_state(office.clone());
        let serving = tokio::spawn(async {
            // It is served until it is dropped.
            let _ = axum::serve(door, router).await;
        });
        let neighbour = Self { serving };
        operator::apply(tenant.cluster.lab(), &registration).await?;
        let rehearsal = Manifest::plain("rehearsal").to_string();
        let asked = || async {
            tenant.namespace.rehearse(&rehearsal).await?;
            ensure!(office.asked.load(Ordering::Relaxed) > 0, "nobody asked");
            Ok(())
        };
        eventually("the API server to ask the neighbour", PATIENCE, asked).await?;
        Ok(neighbour)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Belongs to the tenant's namespace, and so goes away with it.
async fn registration(
    tenant: &Tenant<'_>,
    turn: Turn,
    address: SocketAddr,
    authority: &str,
) -> Result<String> {
    let name = tenant.namespace.name();
    let uid = ["get", "namespace", name, "--output=jsonpath={.metadata.uid}"];
    let uid = tenant.cluster.kubectl(&uid).await?;
    let owner = json!({"apiVersion": "v1", "kind": "Namespace", "name": name, "uid": uid});
    let webhook = json!({
        "name": "neighbour.example.com",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": format!("https://{address}/"), "caBundle": BASE64.encode(authority)},
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
        "reinvocationPolicy": turn.reinvocation(),
        "sideEffects": "None",
    });
    let registration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": format!("{}-{name}", turn.name()), "ownerReferences": [owner]},
        "webhooks": [webhook],
    });
    Ok(registration.to_string())
}

/// Hands back both lists of containers whole, as webhooks do that read a pod into types of their own.
async fn answer(State(office): State<Office>, Json(mut review): Json<Value>) -> Json<Value> {
    office.asked.fetch_add(1, Ordering::Relaxed);
    let mut spec = review["request"]["object"]["spec"].take();
    (office.change)(&mut spec);
    let lists = ["containers", "initContainers"].into_iter().filter(|list| spec[list].is_array());
    let replace = |list| json!({"op": "add", "path": format!("/spec/{list}"), "value": spec[list]});
    let patch = json!(lists.map(replace).collect::<Vec<_>>()).to_string();
    Json(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
        "uid": review["request"]["uid"], "allowed": true,
        "patchType": "JSONPatch", "patch": BASE64.encode(patch),
    }}))
}

/// A listener that speaks TLS.
struct Door {
    socket: TcpListener,
    tls: TlsAcceptor,
}

impl Door {
    async fn open(pair: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Result<Self> {
        let key = PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], PrivateKeyDer::from(key))?;
        let socket = TcpListener::bind((HOST, 0)).await.context("open the neighbour's door")?;
        Ok(Self { socket, tls: TlsAcceptor::from(Arc::new(config)) })
    }
}

impl Listener for Door {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.socket.accept().await
                && let Ok(stream) = self.tls.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.socket.local_addr()
    }
}
