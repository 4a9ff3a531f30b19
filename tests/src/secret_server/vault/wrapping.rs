//! Response wrapping: a token that can be exchanged for an answer, once.

use serde_json::json;

use super::{Vault, data, errors};
use crate::secret_server::{Request, identifier::alphanumeric, reply::Reply};

/// What a wrapping token holds.
#[derive(Debug, Clone)]
pub(super) struct Wrapped {
    creation_path: String,
    secret_id: String,
}

impl Vault {
    /// A wrapping token that holds `secret_id` as if it had been made at `path`.
    pub fn wrap(&mut self, path: &str, secret_id: &str) -> String {
        let token = format!("hvs.{}", alphanumeric(90));
        let wrapped = Wrapped { creation_path: path.to_owned(), secret_id: secret_id.to_owned() };
        self.wrapped.insert(token.clone(), wrapped);
        token
    }

    pub(super) fn look_up_wrapped(&self, request: &Request) -> Reply {
        let body = request.json();
        match body["token"].as_str().and_then(|token| self.wrapped.get(token)) {
            None => invalid(),
            Some(wrapped) => data(
                200,
                json!({"creation_path": wrapped.creation_path, "creation_ttl": 300, "creation_time": "2026-01-01T00:00:00Z"}),
            ),
        }
    }

    pub(super) fn unwrap(&mut self, request: &Request) -> Reply {
        match request.vault_token().and_then(|token| self.wrapped.remove(token)) {
            None => invalid(),
            Some(wrapped) => data(
                200,
                json!({"secret_id": wrapped.secret_id, "secret_id_accessor": alphanumeric(24),
                       "secret_id_num_uses": 0, "secret_id_ttl": 0}),
            ),
        }
    }
}

fn invalid() -> Reply {
    errors(400, &["wrapping token is not valid or does not exist"])
}
