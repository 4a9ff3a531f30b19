//! Leases: looked up, renewed up to their maximum, revoked, and ended with their token.

use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_nanos;
use serde_json::{Value, json};

use super::{JSON, Vault, data, envelope, errors};
use crate::secret_server::{Request, reply::Reply};

/// What was given for a time.
#[derive(Debug, Clone)]
pub(super) struct Lease {
    token: String,
    issued: SystemTime,
    expires: SystemTime,
    ttl: Duration,
    last: SystemTime,
}

impl Lease {
    pub(super) fn new(ttl: Duration, max: Duration, token: String) -> Self {
        let issued = SystemTime::now();
        let last = issued + max;
        Self { token, issued, expires: last.min(issued + ttl), ttl, last }
    }

    /// The whole seconds that are left.
    pub(super) fn left(&self) -> u64 {
        whole_seconds(self.expires)
    }

    fn is_alive(&self) -> bool {
        SystemTime::now() < self.expires
    }
}

/// The time until `end`, to the nearest second.
pub(super) fn whole_seconds(end: SystemTime) -> u64 {
    let left = end.duration_since(SystemTime::now()).unwrap_or_default();
    (left + Duration::from_millis(500)).as_secs()
}

impl Vault {
    /// The names of the leases that are alive.
    pub fn live_leases(&self) -> Vec<String> {
        let alive = self.leases.iter().filter(|(_, lease)| self.is_good(lease));
        alive.map(|(id, _)| id.clone()).collect()
    }

    /// Takes every lease back, as an administrator may.
    pub fn revoke_leases(&mut self) {
        self.leases.clear();
    }

    fn is_good(&self, lease: &Lease) -> bool {
        lease.is_alive() && self.live(Some(&lease.token)).is_some()
    }

    /// `sys/leases/<operation>`.
    pub(super) fn lease(&mut self, operation: &str, request: &Request) -> Reply {
        let body = request.json();
        let id = body["lease_id"].as_str().unwrap_or_default();
        let renewable = self.leases_are_renewable;
        let Some(lease) = self.leases.get(id).filter(|lease| self.is_good(lease)).cloned() else {
            return match operation {
                "lookup" => errors(400, &["invalid lease"]),
                "revoke" => Reply::empty(),
                _ => errors(400, &["lease not found"]),
            };
        };
        match operation {
            "lookup" => data(200, lease.told(id, renewable)),
            "renew" if renewable => {
                let expires = lease.last.min(SystemTime::now() + lease.ttl);
                let lease = Lease { expires, ..lease };
                let mut answer = envelope();
                answer["lease_id"] = json!(id);
                answer["lease_duration"] = json!(lease.left());
                answer["renewable"] = json!(true);
                self.leases.insert(id.to_owned(), lease);
                Reply::json(200, JSON, &answer)
            }
            "renew" => errors(400, &["lease is not renewable"]),
            "revoke" => {
                self.leases.remove(id);
                Reply::empty()
            }
            _ => errors(404, &["1 error occurred:\n\t* unsupported path\n\n"]),
        }
    }
}

impl Lease {
    fn told(&self, id: &str, renewable: bool) -> Value {
        json!({
            "id": id,
            "issue_time": format_rfc3339_nanos(self.issued).to_string(),
            "expire_time": format_rfc3339_nanos(self.expires).to_string(),
            "last_renewal": null,
            "renewable": renewable,
            "ttl": self.left(),
        })
    }
}
