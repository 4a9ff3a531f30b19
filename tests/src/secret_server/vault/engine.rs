//! Engines that lease what they give: credentials of a database, certificates.

use std::time::{Duration, SystemTime};

use axum::http::Method;
use serde_json::{Value, json};

use super::{JSON, Vault, envelope, errors, lease::Lease, unsupported};
use crate::secret_server::{Request, identifier::alphanumeric, reply::Reply};

/// The kinds of engine that lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Each read of `<mount>/creds/<role>` makes a user, with a lease.
    Database,
    /// Each write to `<mount>/issue/<role>` makes a certificate, which ends by itself.
    Pki,
}

impl Engine {
    /// The type's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Pki => "pki",
        }
    }
}

impl Vault {
    /// Mounts an engine at a path.
    pub fn mount_engine(&mut self, path: &str, engine: Engine) {
        self.engines.insert(format!("{}/", path.trim_matches('/')), engine);
    }

    /// The engine that a path lies in, with its mount and the rest of the path.
    pub(super) fn engine_of(&self, path: &str) -> Option<(String, String, Engine)> {
        let (mount, engine) = self.engines.iter().find(|(mount, _)| path.starts_with(*mount))?;
        Some((mount.clone(), path[mount.len()..].to_owned(), *engine))
    }

    /// Gives something new.
    pub(super) fn give(
        &mut self,
        (mount, rest, engine): (String, String, Engine),
        request: &Request,
        token: &str,
    ) -> Reply {
        match (engine, rest.split_once('/')) {
            (Engine::Database, Some(("creds", role))) if request.method == Method::GET => {
                self.credentials(&format!("{mount}creds/{role}"), role, token)
            }
            (Engine::Pki, Some(("issue", _))) if request.method != Method::GET => {
                self.certificate(&request.json())
            }
            (_, Some(("creds" | "issue", _))) => unsupported(),
            _ => errors(404, &["1 error occurred:\n\t* unsupported path\n\n"]),
        }
    }

    fn credentials(&mut self, path: &str, role: &str, token: &str) -> Reply {
        self.given += 1;
        let id = format!("{path}/{}", alphanumeric(24));
        let lease = Lease::new(self.lease_ttl, self.lease_max_ttl, token.to_owned());
        let mut answer = envelope();
        answer["lease_id"] = json!(id);
        answer["lease_duration"] = json!(lease.left());
        answer["renewable"] = json!(self.leases_are_renewable);
        answer["data"] = json!({
            "username": format!("v-{role}-{}", self.given),
            "password": format!("canary-password-{}", self.given),
        });
        self.leases.insert(id, lease);
        Reply::json(200, JSON, &answer)
    }

    fn certificate(&mut self, body: &Value) -> Reply {
        self.given += 1;
        let ttl = body["ttl"].as_str().and_then(|ttl| ttl.strip_suffix('s')?.parse().ok());
        let ends = SystemTime::now() + ttl.map_or(self.lease_ttl, Duration::from_secs);
        let ends = ends.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let name = body["common_name"].as_str().unwrap_or_default();
        let mut answer = envelope();
        answer["warnings"] = ignored(body);
        answer["data"] = json!({
            "certificate": format!("certificate {} of {name}", self.given),
            "private_key": format!("canary-key {} of {name}", self.given),
            "serial_number": format!("{:02x}", self.given),
            "expiration": ends.as_secs(),
        });
        Reply::json(200, JSON, &answer)
    }
}

/// What Vault says of fields that it does not know, and only says.
fn ignored(body: &Value) -> Value {
    const KNOWN: [&str; 6] = ["common_name", "alt_names", "ip_sans", "uri_sans", "ttl", "format"];
    let names = body.as_object().into_iter().flat_map(|fields| fields.keys());
    let unknown: Vec<&str> =
        names.map(String::as_str).filter(|name| !KNOWN.contains(name)).collect();
    if unknown.is_empty() {
        return Value::Null;
    }
    json!([format!("Endpoint ignored these unrecognized parameters: [{}]", unknown.join(" "))])
}
