//! The AWS auth method: Vault has STS say who signed a request.

use mayfly_spec::spec::AwsAuth;

use super::{
    Granted,
    attempt::{Attempt, LoginError},
    method::Method,
};
use crate::source::{
    aws::Prover,
    contract::SourceError,
    vault::{api::Api, verdict::ApiError},
};

/// The header that ties a request to one Vault server.
const SERVER_ID: &str = "x-vault-aws-iam-server-id";

/// A role, and who logs in to it.
#[derive(Debug)]
pub(in crate::source::vault) struct Aws {
    auth: AwsAuth,
    prover: Prover,
}

impl Aws {
    pub(super) fn new(auth: AwsAuth, prover: Prover) -> Self {
        Self { auth, prover }
    }

    pub(super) fn name(&self) -> String {
        format!("role `{}`", self.auth.role)
    }

    pub(super) async fn login(&self, api: &Api) -> Result<Granted, SourceError> {
        let AwsAuth { role, mount, region, server_id } = &self.auth;
        let server = server_id.as_deref().map(|id| (SERVER_ID, id));
        let proof = self.prover.prove(region.as_deref(), server).await?;
        let [url, body, headers] = &proof.parts();
        let attempt = Attempt {
            method: Method::Aws,
            mount,
            who: format!("role `{role}` (for AWS it is {})", self.prover.name()),
            open: vec![("role", role), ("iam_http_request_method", "POST")],
            shown: vec![
                ("iam_request_url", url),
                ("iam_request_body", body),
                ("iam_request_headers", headers),
            ],
        };
        let inside: Vec<&str> = proof.secrets().collect();
        match attempt.try_with(api, &inside).await {
            Ok(login) => Ok(login),
            Err(error) => {
                if is_stale(&error) {
                    self.prover.renounce(&proof);
                }
                Err(attempt.fault(&error, api))
            }
        }
    }
}

/// Whether STS no longer takes the credentials themselves, for all that Vault says.
fn is_stale(error: &LoginError) -> bool {
    let codes = ["ExpiredToken", "InvalidClientTokenId"];
    let LoginError::Api(ApiError::Status(refusal)) = error else { return false };
    refusal.errors.iter().any(|words| codes.iter().any(|code| words.contains(code)))
}
