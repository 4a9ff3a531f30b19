//! What the agent asks of Vault, as one rustify endpoint: vaultrs' own drop a secret's version and
//! lease, and its path of `renew-self` does not exist.

use std::{collections::BTreeMap, fmt, time::Duration};

use rustify::{
    endpoint::Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
    errors::ClientError,
};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

/// A request, but for the token.
pub(super) struct Request {
    /// Below `/v1/`, not encoded.
    pub(super) path: String,
    /// The namespace that it is asked in, if it is not the connection's.
    pub(super) namespace: Option<String>,
    method: RequestMethod,
    query: Option<String>,
    body: Option<Zeroizing<Vec<u8>>>,
}

impl Request {
    /// `GET <path>`.
    pub(super) fn read(path: String) -> Self {
        Self { path, namespace: None, method: RequestMethod::GET, query: None, body: None }
    }

    /// `GET <path>?version=<version>`.
    pub(super) fn read_version(path: String, version: Option<u64>) -> Self {
        let query = version.map(|version| format!("version={version}"));
        Self { query, ..Self::read(path) }
    }

    /// `LIST <path>`.
    pub(super) fn list(path: String) -> Self {
        Self { method: RequestMethod::LIST, ..Self::read(path) }
    }

    /// `POST <path>` with these fields.
    pub(super) fn write(path: String, fields: &BTreeMap<String, String>) -> Self {
        Self::post(path, fields)
    }

    /// `POST auth/token/renew-self`.
    pub(super) fn renew_self() -> Self {
        Self::post("auth/token/renew-self".to_owned(), json!({}))
    }

    /// `GET auth/token/lookup-self`.
    pub(super) fn look_up_self() -> Self {
        Self::read("auth/token/lookup-self".to_owned())
    }

    /// `GET sys/internal/ui/mounts`: the engines that the token may see, if only none.
    pub(super) fn mounts() -> Self {
        Self::read("sys/internal/ui/mounts".to_owned())
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

    /// `POST sys/wrapping/lookup`, which needs no token but the one that is asked about.
    pub(super) fn look_up_wrapping(token: &str) -> Self {
        Self::post("sys/wrapping/lookup".to_owned(), json!({ "token": token }))
    }

    /// `POST auth/<mount>/login` with these fields, some of which are secret.
    pub(super) fn log_in(mount: &str, fields: &BTreeMap<&str, &str>) -> Self {
        Self::post(format!("auth/{}/login", mount.trim_matches('/')), fields)
    }

    /// # Panics
    /// Never: what is asked is JSON by its type.
    fn post(path: String, body: impl Serialize) -> Self {
        let body = serde_json::to_vec(&body).expect("fields are JSON");
        let body = Some(Zeroizing::new(body));
        Self { method: RequestMethod::POST, body, ..Self::read(path) }
    }

    /// The same in another namespace, if one is named.
    pub(super) fn within(self, namespace: Option<&str>) -> Self {
        Self { namespace: namespace.map(str::to_owned).or(self.namespace), ..self }
    }
}

/// Without the body, which may hold what is shown to log in.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?} {})", self.method, self.path)
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
        Ok(self.body.as_ref().map(|body| body.to_vec()))
    }
}
