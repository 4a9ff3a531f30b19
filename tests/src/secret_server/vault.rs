//! Vault: mounts and what lies in them, roles and tokens, sealed or not.

mod approle;
mod aws;
mod cert;
mod engine;
mod health;
mod kubernetes;
mod kv;
mod lease;
mod mount;
mod token;
mod wrapping;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axum::http::Method;
use serde_json::{Value, json};

pub use self::{engine::Engine, health::Condition, kv::Kv, token::Token};
use self::{kubernetes::Role, kv::Mount, lease::Lease};
use super::{Aws, Request, identifier::uuid, reply::Reply};

/// How long a token lives unless [`Vault::token_ttl`] says otherwise.
const TOKEN_TTL: Duration = Duration::from_hours(1);

/// Beyond which age nothing is renewed unless something else is said.
const MAX_TTL: Duration = Duration::from_hours(768);

/// How far the storage is after a login.
const INDEX: u64 = 4711;

const JSON: &str = "application/json";

/// The Vault side of the server. `secret/` is a KV v2 mount from the start, as in a dev server.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the stand-in's own")]
pub struct Vault {
    /// Active, standby or sealed.
    pub condition: Condition,
    /// How long the tokens live that are given from now on.
    pub token_ttl: Duration,
    /// Beyond which age the tokens cannot be renewed that are given from now on.
    pub token_max_ttl: Duration,
    /// Whether the tokens that are given from now on can be renewed.
    pub tokens_are_renewable: bool,
    /// How long what is leased from now on lives, unless it is renewed.
    pub lease_ttl: Duration,
    /// Beyond which age it cannot be renewed.
    pub lease_max_ttl: Duration,
    /// Whether it can be renewed.
    pub leases_are_renewable: bool,
    /// Whether tokens lack the policy `default`, as those of a role with `token_no_default_policy`.
    pub lacks_default_policy: bool,
    /// Whether it is OpenBao, which tells the versions of a whole folder.
    pub is_openbao: bool,
    /// How many requests this node is behind the one that answers logins, as a performance standby.
    pub lag: u32,
    engines: BTreeMap<String, Engine>,
    leases: BTreeMap<String, Lease>,
    /// How much engines have given.
    given: u64,
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
            token_max_ttl: MAX_TTL,
            tokens_are_renewable: true,
            lease_ttl: TOKEN_TTL,
            lease_max_ttl: MAX_TTL,
            leases_are_renewable: true,
            lacks_default_policy: false,
            is_openbao: false,
            lag: 0,
            engines: BTreeMap::new(),
            leases: BTreeMap::new(),
            given: 0,
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
            return Reply { index: Some(INDEX), ..answer };
        }
        if self.lag > 0 { self.lagging(request) } else { self.authenticated(path, request) }
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

    /// Who says how far the storage was is told to wait; others meet a node that knows no token.
    fn lagging(&mut self, request: &Request) -> Reply {
        self.lag -= 1;
        match request.header("x-vault-index") {
            Some(index) if index == INDEX.to_string() => {
                errors(412, &["required index state not present"])
            }
            _ => errors(403, &["permission denied"]),
        }
    }

    fn authenticated(&mut self, path: &str, request: &Request) -> Reply {
        let Some(token) = self.live(request.vault_token()) else {
            return errors(403, &["permission denied"]);
        };
        let is_of_default = path.starts_with("auth/token/") || path.starts_with("sys/leases/");
        if self.denied.contains(path) || self.lacks_default_policy && is_of_default {
            return forbidden();
        }
        if path == "sys/internal/ui/mounts" {
            return data(200, json!({"secret": {}, "auth": {}}));
        }
        let below = |prefix| path.strip_prefix(prefix);
        if let Some(operation) = below("auth/token/") {
            self.own_token(operation, &token)
        } else if let Some(operation) = below("sys/leases/") {
            self.lease(operation, request)
        } else if let Some(inner) = below("sys/internal/ui/mounts/") {
            self.mount_of(inner)
        } else if let Some(engine) = self.engine_of(path) {
            self.give(engine, request, &token)
        } else {
            self.read(path, request)
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
