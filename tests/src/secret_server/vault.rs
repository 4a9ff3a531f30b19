//! Vault: mounts and what lies in them, roles and tokens, sealed or not.

mod approle;
mod aws;
mod cert;
mod health;
mod kubernetes;
mod kv;
mod mount;
mod token;
mod wrapping;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axum::http::Method;
use serde_json::{Value, json};

pub use self::{health::Condition, kv::Kv, token::Token};
use self::{kubernetes::Role, kv::Mount};
use super::{Aws, Request, identifier::uuid, reply::Reply};

/// How long a token lives unless [`Vault::token_ttl`] says otherwise.
const TOKEN_TTL: Duration = Duration::from_hours(1);

const JSON: &str = "application/json";

/// The Vault side of the server. `secret/` is a KV v2 mount from the start, as in a dev server.
#[derive(Debug)]
pub struct Vault {
    /// Active, standby or sealed.
    pub condition: Condition,
    /// How long the tokens live that are given from now on.
    pub token_ttl: Duration,
    /// Whether the tokens that are given from now on can be renewed.
    pub tokens_are_renewable: bool,
    mounts: BTreeMap<String, Mount>,
    roles: BTreeMap<(String, String), Role>,
    jwt_mounts: BTreeSet<String>,
    aws_mounts: BTreeMap<String, aws::AwsMount>,
    app_roles: BTreeMap<String, approle::AppRoles>,
    certificates: BTreeMap<(String, String), Vec<u8>>,
    wrapped: BTreeMap<String, wrapping::Wrapped>,
    tokens: BTreeMap<String, Token>,
    denied: BTreeSet<String>,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            condition: Condition::Active,
            token_ttl: TOKEN_TTL,
            tokens_are_renewable: true,
            mounts: BTreeMap::from([("secret/".to_owned(), Mount::new(Kv::V2))]),
            roles: BTreeMap::new(),
            jwt_mounts: BTreeSet::new(),
            aws_mounts: BTreeMap::new(),
            app_roles: BTreeMap::new(),
            certificates: BTreeMap::new(),
            wrapped: BTreeMap::new(),
            tokens: BTreeMap::new(),
            denied: BTreeSet::new(),
        }
    }
}

impl Vault {
    /// No token may read this path, written as for `vault kv get` or as in the API.
    pub fn deny(&mut self, path: &str) {
        self.denied.insert(path.to_owned());
    }

    /// The inverse of [`Vault::deny`].
    pub fn allow(&mut self, path: &str) {
        self.denied.remove(path);
    }

    /// Seals the server: it answers 503 to everything.
    pub fn seal(&mut self) {
        self.condition = Condition::Sealed;
    }

    /// The inverse of [`Vault::seal`].
    pub fn unseal(&mut self) {
        self.condition = Condition::Active;
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, request: &Request, sts: &Aws) -> Reply {
        let path = request.vault_path();
        if path == "sys/health" {
            return self.health();
        }
        if self.condition == Condition::Sealed {
            return errors(503, &["Vault is sealed"]);
        }
        if request.method != Method::GET
            && let Some(answer) = self.unauthenticated(path, request, sts)
        {
            return answer;
        }
        self.authenticated(path, request)
    }

    /// What is asked for without a token. At a path of none of these it is only a request without one.
    fn unauthenticated(&mut self, path: &str, request: &Request, sts: &Aws) -> Option<Reply> {
        match path {
            "sys/wrapping/lookup" => return Some(self.look_up_wrapped(request)),
            "sys/wrapping/unwrap" => return Some(self.unwrap(request)),
            _ => {}
        }
        if let Some(mount) = self.login_role(path) {
            return Some(self.login(&mount, request));
        }
        let mount = path.strip_prefix("auth/")?.strip_suffix("/login")?;
        if self.aws_mounts.contains_key(mount) {
            Some(self.login_by_aws(mount, request, sts))
        } else if self.app_roles.contains_key(mount) {
            Some(self.login_by_app_role(mount, request))
        } else if self.certificates.keys().any(|(known, _)| known == mount) {
            Some(self.login_by_certificate(mount, request))
        } else {
            None
        }
    }

    fn authenticated(&mut self, path: &str, request: &Request) -> Reply {
        let Some(token) = self.live(request.vault_token()) else {
            return errors(403, &["permission denied"]);
        };
        if self.denied.contains(path) {
            return forbidden();
        }
        match path.strip_prefix("auth/token/") {
            Some(operation) => self.own_token(operation, &token),
            None => match path.strip_prefix("sys/internal/ui/mounts/") {
                Some(inner) => self.mount_of(inner),
                None => self.read(path, request),
            },
        }
    }
}

/// Vault's shape of an error.
pub(super) fn errors(status: u16, errors: &[&str]) -> Reply {
    Reply::json(status, JSON, &json!({ "errors": errors }))
}

/// What a token gets whose policies do not allow it.
fn forbidden() -> Reply {
    errors(403, &["1 error occurred:\n\t* permission denied\n\n"])
}

fn unsupported() -> Reply {
    errors(405, &["1 error occurred:\n\t* unsupported operation\n\n"])
}

fn no_route(path: &str) -> Reply {
    errors(404, &[&format!("no handler for route \"{path}\". route entry not found.")])
}

/// Vault's shape of an answer.
fn envelope() -> Value {
    json!({
        "request_id": uuid(),
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": null,
        "wrap_info": null,
        "warnings": null,
        "auth": null,
    })
}

fn data(status: u16, data: Value) -> Reply {
    let mut answer = envelope();
    answer["data"] = data;
    Reply::json(status, JSON, &answer)
}
