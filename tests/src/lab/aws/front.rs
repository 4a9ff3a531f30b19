//! The front of AWS, a program of its own so that it outlives a `--keep` run: one address for every service, and the one
//! that EKS's agent has on every node. It gives sessions for pods' tokens, records what came in, and hands on to moto
//! what carries credentials that it has issued itself.

mod exchange;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode, header::AUTHORIZATION, header::HOST, request::Parts},
    response::IntoResponse,
    routing::{get, put},
};
use reqwest::{Certificate, Client};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use url::form_urlencoded;

use super::{sts::Session, web_identity::Issuer};
use crate::lab::{
    addresses::{API_SERVER, AWS_CONTROL_LISTENER, AWS_LISTENER, MOTO, POD_IDENTITY_LISTENER},
    folders,
};

/// The hidden command that runs the front.
pub const COMMAND: &str = "aws-front";

/// No request of a test is larger.
const BODY_LIMIT: usize = 1 << 20;

/// A service account that may assume a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trust {
    /// The role's ARN.
    pub role: String,
    /// `system:serviceaccount:<namespace>:<name>`.
    pub subject: String,
}

/// A role that may be assumed over another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Guest {
    /// The role's ARN.
    pub role: String,
    /// The ARN of the role whose sessions may assume it.
    pub over: String,
    /// What they have to say beside it.
    pub external_id: Option<String>,
}

/// Whether AWS is down for whoever has a role, or asks for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outage {
    /// The role's ARN.
    pub role: String,
    /// Whether it is.
    pub down: bool,
}

/// A request as it came in, without what is secret in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// `AssumeRoleWithWebIdentity`, `AssumeRole`, `AssumeRoleForPodIdentity`, or the target of a JSON service such as `secretsmanager.GetSecretValue`.
    pub action: String,
    /// The role's ARN, if it is known.
    pub role: Option<String>,
    /// The session's name: what CloudTrail would show.
    pub session: Option<String>,
    /// What was asked for: the secret's id, the parameter's name.
    pub resource: Option<String>,
    /// The answer's HTTP status.
    pub status: u16,
    /// The code of STS's refusal.
    pub refusal: Option<String>,
}

#[derive(Debug)]
struct Front {
    issuer: Issuer,
    moto: Client,
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    trust: BTreeMap<String, BTreeSet<String>>,
    guests: BTreeSet<Guest>,
    /// The role of a service account under EKS Pod Identity, by its subject.
    associations: BTreeMap<String, String>,
    outages: BTreeSet<String>,
    sessions: BTreeMap<String, Session>,
    calls: Vec<Call>,
}

/// Serves until it is ended. `authority` is the certificate of the cluster whose tokens are good.
pub async fn serve(authority: &Path) -> Result<()> {
    // Whoever has done it before has done the same.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let authority = Certificate::from_pem(folders::read(authority)?.as_bytes())?;
    let cluster = Client::builder().tls_certs_only([authority]).no_proxy().build()?;
    let moto = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let issuer = Issuer::new(cluster, API_SERVER);
    let front = Arc::new(Front { issuer, moto, records: Mutex::default() });
    let services = Router::new().fallback(answer).with_state(Arc::clone(&front));
    let node = Router::new()
        .route("/v1/credentials", get(exchange::credentials))
        .with_state(Arc::clone(&front));
    let control = Router::new()
        .route("/trust", put(trust))
        .route("/guests", put(guest))
        .route("/associations", put(association))
        .route("/outage", put(outage))
        .route("/calls", get(calls))
        .with_state(front);
    tokio::try_join!(
        listen(AWS_LISTENER, services),
        listen(POD_IDENTITY_LISTENER, node),
        listen(AWS_CONTROL_LISTENER, control)
    )
    .map(drop)
}

async fn listen(address: &str, router: Router) -> Result<()> {
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
    axum::serve(listener, router).await.with_context(|| format!("serve on {address}"))
}

async fn trust(State(front): State<Arc<Front>>, Json(trust): Json<Trust>) {
    front.records().trust.entry(trust.role).or_default().insert(trust.subject);
}

async fn guest(State(front): State<Arc<Front>>, Json(guest): Json<Guest>) {
    front.records().guests.insert(guest);
}

async fn association(State(front): State<Arc<Front>>, Json(trust): Json<Trust>) {
    front.records().associations.insert(trust.subject, trust.role);
}

async fn outage(State(front): State<Arc<Front>>, Json(outage): Json<Outage>) {
    let outages = &mut front.records().outages;
    if outage.down {
        outages.insert(outage.role)
    } else {
        outages.remove(&outage.role)
    };
}

async fn calls(State(front): State<Arc<Front>>) -> Json<Vec<Call>> {
    Json(front.records().calls.clone())
}

async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response<axum::body::Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    match form.get("Action").map(String::as_str) {
        Some("AssumeRoleWithWebIdentity") => front.assume_with_web_identity(&form).await,
        Some("AssumeRole") => front.assume(&head.headers, &form),
        Some("GetCallerIdentity") => front.caller_identity(&head.headers),
        _ => front.hand_on(head, body).await,
    }
}

impl Front {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose session a request was signed in.
    fn signer(&self, headers: &HeaderMap) -> Option<Session> {
        access_key(headers).and_then(|key| self.records().sessions.get(&key).cloned())
    }

    async fn hand_on(&self, head: Parts, body: Bytes) -> Response<axum::body::Body> {
        let session = self.signer(&head.headers);
        let (action, resource) = (target(&head.headers), resource(&body));
        let response = match &session {
            Some(session) if self.records().outages.contains(&session.role) => {
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
            Some(_) => self
                .ask_moto(head, body)
                .await
                .unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response()),
            None => unknown_credentials(),
        };
        let (role, session) = session.map(|session| (session.role, session.name)).unzip();
        let status = response.status().as_u16();
        self.records().calls.push(Call { action, role, session, resource, status, refusal: None });
        response
    }

    async fn ask_moto(&self, head: Parts, body: Bytes) -> Result<Response<axum::body::Body>> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = head.headers;
        headers.remove(HOST);
        let request = self.moto.request(head.method, format!("{MOTO}{path}")).headers(headers);
        let answer = request.body(body).send().await?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove("transfer-encoding");
        Ok((status, headers, answer.bytes().await?).into_response())
    }
}

fn unknown_credentials() -> Response<axum::body::Body> {
    let error = serde_json::json!({
        "__type": "UnrecognizedClientException",
        "message": "The security token included in the request is invalid.",
    });
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.1")], error.to_string())
        .into_response()
}

/// The public half of the credentials that a request was signed with.
fn access_key(headers: &HeaderMap) -> Option<String> {
    let (_, credential) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once("Credential=")?;
    credential.split('/').next().map(Into::into)
}

fn target(headers: &HeaderMap) -> String {
    headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// What a JSON service was asked for. The body itself is not kept: it may hold what is sealed.
fn resource(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    ["SecretId", "SecretIdList", "Name", "Names", "Path", "KeyId"].iter().find_map(|&name| {
        match &body[name] {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    })
}
