//! A Vault of a few lines: what it answers to what, and what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::LOGIN;
use crate::{
    http::{Answer, TransportError},
    source::vault::api::Wire,
};

/// One answer.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// Vault's data.
    Data(Value),
    /// Vault's whole answer, but for the `request_id`.
    Whole(Value),
    /// Vault's refusal.
    Refused(u16, &'static str),
    /// Somebody else's page.
    Page(u16, &'static str),
    /// The answer of another, so much later.
    After(u64, Box<Self>),
    /// None, ever.
    Hang,
}

type Rule = Arc<dyn Fn(usize) -> Reply + Send + Sync>;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) operation: String,
    pub(super) token: String,
    pub(super) namespace: String,
}

#[derive(Default)]
struct World {
    rules: BTreeMap<String, Rule>,
    seen: Vec<Seen>,
}

/// The server. A clone is the same.
#[derive(Clone, Default)]
pub(super) struct Script(Arc<Mutex<World>>);

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

/// A user of a database, the `number`th.
pub(super) fn user(number: usize, seconds: u64) -> Reply {
    Reply::Whole(json!({"lease_id": format!("database/creds/web/{number}"),
        "lease_duration": seconds, "renewable": true, "data": {"username": number}}))
}

/// The `number`th token.
pub(super) fn token(number: usize, seconds: u64) -> Reply {
    let token = format!("hvs.{number}");
    Reply::Whole(
        json!({"auth": {"client_token": token, "lease_duration": seconds, "renewable": true}}),
    )
}

impl Script {
    /// Logins and databases that work, for an hour each.
    pub(super) fn new() -> Self {
        let script = Self::default();
        script.on(LOGIN, |number| token(number, 3600));
        script.on(super::CREDS, |number| user(number, 3600));
        for works in [super::LOOK_UP_SELF, super::LOOK_UP, super::MOUNTS] {
            script.always(works, Reply::Data(json!({})));
        }
        script
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("nobody failed")
    }

    /// From now on, by how often it was asked, from one.
    pub(super) fn on(
        &self,
        operation: &str,
        rule: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) {
        self.world().rules.insert(operation.to_owned(), Arc::new(rule));
    }

    pub(super) fn always(&self, operation: &str, reply: Reply) {
        self.on(operation, move |_| reply.clone());
    }

    /// How often it was asked.
    pub(super) fn count(&self, operation: &str) -> usize {
        self.world().seen.iter().filter(|seen| seen.operation == operation).count()
    }

    /// The last request of this kind.
    pub(super) fn last(&self, operation: &str) -> Seen {
        let world = self.world();
        world.seen.iter().rfind(|seen| seen.operation == operation).cloned().expect(operation)
    }

    fn reply(&self, seen: Seen) -> Reply {
        let operation = seen.operation.clone();
        self.world().seen.push(seen);
        let number = self.count(&operation);
        let rule = self.world().rules.get(&operation).cloned();
        rule.map_or(Reply::Refused(404, "no handler for route"), |rule| rule(number))
    }
}

fn answer(status: u16, kind: &'static str, body: String) -> Answer {
    let mut answer = http::Response::new(Zeroizing::new(body.into_bytes()));
    *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    let kind = http::HeaderValue::from_static(kind);
    answer.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    answer
}

#[async_trait]
impl Wire for Script {
    async fn exchange(&self, request: reqwest::Request) -> Result<Answer, TransportError> {
        let header = |name: &str| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let path = request.url().path().trim_start_matches("/v1/");
        let operation = format!("{} {path}", request.method());
        let (token, namespace) = (header("x-vault-token"), header("x-vault-namespace"));
        let mut reply = self.reply(Seen { operation, token, namespace });
        loop {
            let json = "application/json";
            return Ok(match reply {
                Reply::After(seconds, later) => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    reply = *later;
                    continue;
                }
                Reply::Hang => std::future::pending().await,
                Reply::Page(status, page) => answer(status, "text/html", page.to_owned()),
                Reply::Refused(status, said) => {
                    answer(status, json, json!({"errors": [said]}).to_string())
                }
                Reply::Data(data) => {
                    answer(200, json, json!({"request_id": "1", "data": data}).to_string())
                }
                Reply::Whole(mut whole) => {
                    whole["request_id"] = json!("1");
                    answer(200, json, whole.to_string())
                }
            });
        }
    }
}
