//! What the agent asks of Vault, as one rustify endpoint: vaultrs' own drop a secret's version and
//! lease, and its path of `renew-self` does not exist.

use std::{collections::BTreeMap, time::Duration};

use rustify::{
    endpoint::Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
    errors::ClientError,
};
use serde_json::{Value, json};

/// A request, but for the token.
#[derive(Debug)]
pub(super) struct Request {
    /// Below `/v1/`, not encoded.
    pub(super) path: String,
    method: RequestMethod,
    query: Option<String>,
    body: Option<Value>,
}

impl Request {
    /// `GET <path>`.
    pub(super) fn read(path: String) -> Self {
        Self { path, method: RequestMethod::GET, query: None, body: None }
    }

    /// `GET <path>?version=<version>`.
    pub(super) fn read_version(path: String, version: Option<u64>) -> Self {
        let query = version.map(|version| format!("version={version}"));
        Self { query, ..Self::read(path) }
    }

    /// `LIST <path>`.
    pub(super) fn list(path: String) -> Self {
        Self { path, method: RequestMethod::LIST, query: None, body: None }
    }

    /// `POST <path>` with these fields.
    pub(super) fn write(path: String, fields: &BTreeMap<String, String>) -> Self {
        Self::post(path, json!(fields))
    }

    /// `POST auth/token/renew-self`.
    pub(super) fn renew_self() -> Self {
        Self::post("auth/token/renew-self".to_owned(), json!({}))
    }

    /// `GET auth/token/lookup-self`.
    pub(super) fn look_up_self() -> Self {
        Self::read("auth/token/lookup-self".to_owned())
    }

    /// `POST auth/token/revoke-self`: the end of the token that asks, and of its leases.
    pub(super) fn revoke_self() -> Self {
        Self::post("auth/token/revoke-self".to_owned(), json!({}))
    }

    /// `POST sys/leases/renew`, for as long as the lease was given first.
    pub(super) fn renew_lease(id: &str, increment: Duration) -> Self {
        let body = json!({ "lease_id": id, "increment": increment.as_secs() });
        Self::post("sys/leases/renew".to_owned(), body)
    }

    /// `POST sys/leases/lookup`: whether there is such a lease.
    pub(super) fn look_up_lease(id: &str) -> Self {
        Self::post("sys/leases/lookup".to_owned(), json!({ "lease_id": id }))
    }

    /// `POST sys/leases/revoke`.
    pub(super) fn revoke_lease(id: &str) -> Self {
        Self::post("sys/leases/revoke".to_owned(), json!({ "lease_id": id }))
    }

    /// `POST sys/wrapping/unwrap`, as whoever holds the wrapping token.
    pub(super) fn unwrap() -> Self {
        Self::post("sys/wrapping/unwrap".to_owned(), json!({}))
    }

    fn post(path: String, body: Value) -> Self {
        Self { path, method: RequestMethod::POST, query: None, body: Some(body) }
    }
}

impl Endpoint for Request {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        self.path.clone()
    }

    fn method(&self) -> RequestMethod {
        self.method.clone()
    }

    fn query(&self) -> Result<Option<String>, ClientError> {
        Ok(self.query.clone())
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(self.body.as_ref().map(|body| body.to_string().into_bytes()))
    }
}
