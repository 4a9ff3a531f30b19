//! AWS and Vault as the demo plays them: what they hold, whom they trust.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::files::Contents;
use crate::secret_server::{Request, SecretServer};

/// The role that the pod's identity is exchanged for.
pub(super) const AWS_ROLE: &str = "arn:aws:iam::123456789012:role/web";

/// The role that the pod logs in to.
pub(super) const VAULT_ROLE: &str = "web";

/// The audience that Vault's role demands.
pub(super) const VAULT_AUDIENCE: &str = "vault";

/// The audience that STS demands.
const STS_AUDIENCE: &str = "sts.amazonaws.com";

/// Both backends.
#[derive(Debug)]
pub(super) struct Backends {
    pub(super) server: SecretServer,
    login: Login,
    api_key: String,
}

/// What Secrets Manager holds.
#[derive(Debug)]
struct Login {
    username: String,
    password: String,
}

impl Backends {
    /// Starts them, with a secret in each.
    pub(super) async fn start() -> Result<Self> {
        let server = SecretServer::start().await?;
        let backends = Self { server, login: Login::new(1), api_key: canary() };
        let app = json!({ "api-key": backends.api_key, "quota": 100 });
        backends.server.vault().put("secret/app", app).context("nothing is mounted at secret/")?;
        backends.server.vault().demand_audience("kubernetes", VAULT_ROLE, VAULT_AUDIENCE);
        backends.publish();
        Ok(backends)
    }

    /// Trusts a service account's token that was made for `audience`.
    pub(super) fn trust(&self, audience: &str, token: &str) {
        match audience {
            STS_AUDIENCE => self.server.aws().trust(AWS_ROLE, token),
            _ => self.server.vault().trust("kubernetes", VAULT_ROLE, token),
        }
    }

    /// Gives the database a new user with a new password.
    pub(super) fn rotate(&mut self) {
        self.login = Login::new(2);
        self.publish();
    }

    fn publish(&self) {
        let Login { username, password } = &self.login;
        let login = json!({ "username": username, "password": password });
        self.server.aws().put("prod/db", login.to_string());
    }

    /// The files that the pod asks for, as they are to be at this moment.
    pub(super) fn files(&self) -> Contents {
        let app = json!({ "api-key": self.api_key, "quota": 100 });
        [
            ("api.json", app.to_string()),
            ("db-password", self.login.password.clone()),
            ("db-user", self.login.username.clone()),
        ]
        .map(|(name, text)| (name.to_owned(), text))
        .into()
    }

    /// The values that may be nowhere but in the files.
    pub(super) fn values(&self) -> [&str; 2] {
        [&self.login.password, &self.api_key]
    }

    /// How often the pod has shown who it is: at STS, and at Vault.
    pub(super) fn proofs(&self) -> [usize; 2] {
        let is_login = |request: &&Request| request.path == "/v1/auth/kubernetes/login";
        let logins = self.server.requests().iter().filter(is_login).count();
        [self.server.count("AssumeRoleWithWebIdentity"), logins]
    }

    /// What CloudTrail would show: the name of the only session.
    pub(super) fn session_name(&self) -> Option<String> {
        self.server.aws().sessions().first().map(|session| session.name.clone())
    }
}

impl Login {
    fn new(number: u8) -> Self {
        Self { username: format!("app_{number}"), password: canary() }
    }
}

/// A value that is nowhere else in the world.
fn canary() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(16).collect()
}

/// A service account's token, as the API server makes it, but for the signature: nobody here has
/// the key to check it, and the backends know the token itself.
pub(super) fn service_account_token(audience: &str) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let part = |value: Value| BASE64.encode(value.to_string());
    let claims = json!({
        "iss": "https://kubernetes.default.svc",
        "sub": "system:serviceaccount:shop:web",
        "aud": [audience],
        "jti": canary(),
    });
    format!("{}.{}.{}", part(json!({"alg": "RS256"})), part(claims), BASE64.encode(canary()))
}
