//! The Kubernetes and the JWT auth method: a service account's token goes in, a Vault token comes out.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{JSON, Vault, envelope, errors};
use crate::secret_server::{Request, reply::Reply};

/// A role of the method.
#[derive(Debug, Default)]
pub(super) struct Role {
    tokens: BTreeSet<String>,
    audience: Option<String>,
}

impl Vault {
    /// Makes a role at the method mounted at `auth/<mount>`, if it is not there yet.
    pub fn add_role(&mut self, mount: &str, role: &str) {
        self.roles.entry((mount.to_owned(), role.to_owned())).or_default();
    }

    /// The role accepts this service account's token.
    pub fn trust(&mut self, mount: &str, role: &str, jwt: &str) {
        let role = self.roles.entry((mount.to_owned(), role.to_owned())).or_default();
        role.tokens.insert(jwt.to_owned());
    }

    /// The role demands this audience.
    pub fn demand_audience(&mut self, mount: &str, role: &str, audience: &str) {
        let role = self.roles.entry((mount.to_owned(), role.to_owned())).or_default();
        role.audience = Some(audience.to_owned());
    }

    /// The role of a JWT method accepts this token.
    pub fn trust_jwt(&mut self, mount: &str, role: &str, jwt: &str) {
        self.jwt_mounts.insert(mount.to_owned());
        self.trust(mount, role, jwt);
    }

    /// The mount of the method whose login this path is. At any other path a login is only a
    /// request without a token.
    pub(super) fn login_role(&self, path: &str) -> Option<String> {
        let mount = path.strip_prefix("auth/")?.strip_suffix("/login")?;
        self.roles.keys().any(|(known, _)| known == mount).then(|| mount.to_owned())
    }

    pub(super) fn login(&mut self, mount: &str, request: &Request) -> Reply {
        let body = request.json();
        let Some(role) = body["role"].as_str() else { return errors(400, &["missing role"]) };
        let Some(jwt) = body["jwt"].as_str() else { return errors(400, &["missing jwt"]) };
        let key = (mount.to_owned(), role.to_owned());
        let Some(known) = self.roles.get(&key) else {
            return errors(400, &[&self.unknown(mount, role)]);
        };
        if self.jwt_mounts.contains(mount) && !known.tokens.contains(jwt) {
            // Real ones do not quote what they were shown; one that does is the worst that may come.
            let text = format!(
                "error validating token: error verifying token signature: no known key successfully validated the token signature of {jwt}"
            );
            return errors(400, &[&text]);
        }
        match self.refusal(known, jwt) {
            Some(text) => errors(403, &[text]),
            None => self.welcome(role),
        }
    }

    fn unknown(&self, mount: &str, role: &str) -> String {
        if self.jwt_mounts.contains(mount) {
            format!("role \"{role}\" could not be found")
        } else {
            format!("invalid role name \"{role}\"")
        }
    }

    fn refusal(&self, role: &Role, jwt: &str) -> Option<&'static str> {
        if role.audience.as_ref().is_some_and(|audience| !audiences(jwt).contains(audience)) {
            Some(
                "invalid audience (aud) claim: audience claim does not match any expected audience",
            )
        } else if role.tokens.contains(jwt) {
            None
        } else if self.roles.values().any(|other| other.tokens.contains(jwt)) {
            Some("service account name not authorized")
        } else {
            Some("permission denied")
        }
    }

    pub(super) fn welcome(&mut self, role: &str) -> Reply {
        let token = self.issue_token();
        let mut answer = envelope();
        answer["auth"] = self.tokens[&token].auth(&token);
        answer["auth"]["metadata"] = json!({ "role": role });
        Reply::json(200, JSON, &answer)
    }
}

/// What the token says of itself; nothing, if it is no JWT.
fn audiences(jwt: &str) -> Vec<String> {
    let payload = jwt.split('.').nth(1).and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = serde_json::from_slice(&payload.unwrap_or_default()).unwrap_or_default();
    match &claims["aud"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
