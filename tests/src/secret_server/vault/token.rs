//! Tokens: given, looked up, renewed, revoked, and in time expired.

use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_nanos;
use serde_json::{Value, json};

use super::{JSON, Vault, data, envelope, errors, lease::whole_seconds};
use crate::secret_server::{
    identifier::{alphanumeric, uuid},
    reply::Reply,
};

/// A token that is alive until it is revoked or its time is over.
#[derive(Debug, Clone)]
pub struct Token {
    accessor: String,
    issued: SystemTime,
    expires: SystemTime,
    ttl: Duration,
    last: SystemTime,
    renewable: bool,
}

impl Vault {
    /// Makes a token, as `vault token create` does.
    pub fn issue_token(&mut self) -> String {
        let (id, issued, ttl) =
            (format!("hvs.{}", alphanumeric(90)), SystemTime::now(), self.token_ttl);
        let token = Token {
            accessor: alphanumeric(24),
            issued,
            expires: (issued + ttl).min(issued + self.token_max_ttl),
            ttl,
            last: issued + self.token_max_ttl,
            renewable: self.tokens_are_renewable,
        };
        self.tokens.insert(id.clone(), token);
        id
    }

    /// Revokes every token, as an administrator may.
    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    /// The tokens that are alive.
    pub fn live_tokens(&self) -> Vec<String> {
        let alive = self.tokens.iter().filter(|(_, token)| token.is_alive());
        alive.map(|(id, _)| id.clone()).collect()
    }

    /// The token that came with a request, if it is alive.
    pub(super) fn live(&self, id: Option<&str>) -> Option<String> {
        let id = id?;
        self.tokens.get(id).is_some_and(Token::is_alive).then(|| id.to_owned())
    }

    /// What everybody may do with the token that is shown.
    pub(super) fn own_token(&mut self, operation: &str, id: &str) -> Reply {
        match (operation, self.tokens.get_mut(id)) {
            ("lookup-self", Some(token)) => data(200, token.lookup(id)),
            ("renew-self", Some(token)) if token.renewable => {
                token.expires = token.last.min(SystemTime::now() + token.ttl);
                let mut answer = envelope();
                answer["auth"] = token.auth(id);
                Reply::json(200, JSON, &answer)
            }
            ("renew-self", Some(_)) => errors(400, &["lease is not renewable"]),
            ("revoke-self", Some(_)) => {
                self.tokens.remove(id);
                Reply::empty()
            }
            _ => errors(404, &["1 error occurred:\n\t* unsupported path\n\n"]),
        }
    }
}

impl Token {
    fn is_alive(&self) -> bool {
        SystemTime::now() < self.expires
    }

    /// What a login and a renewal say.
    pub(super) fn auth(&self, id: &str) -> Value {
        json!({
            "client_token": id,
            "accessor": self.accessor,
            "policies": ["default", "web"],
            "token_policies": ["default", "web"],
            "metadata": null,
            "lease_duration": whole_seconds(self.expires),
            "renewable": self.renewable,
            "entity_id": uuid(),
            "token_type": "service",
            "orphan": true,
            "mfa_requirement": null,
            "num_uses": 0,
        })
    }

    fn lookup(&self, id: &str) -> Value {
        let created = self.issued.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        json!({
            "accessor": self.accessor,
            "creation_time": created.as_secs(),
            "creation_ttl": self.ttl.as_secs(),
            "display_name": "kubernetes",
            "entity_id": "",
            "expire_time": format_rfc3339_nanos(self.expires).to_string(),
            "explicit_max_ttl": 0,
            "id": id,
            "issue_time": format_rfc3339_nanos(self.issued).to_string(),
            "meta": null,
            "num_uses": 0,
            "orphan": true,
            "path": "auth/kubernetes/login",
            "policies": ["default", "web"],
            "renewable": self.renewable,
            "ttl": whole_seconds(self.expires),
            "type": "service",
        })
    }
}
