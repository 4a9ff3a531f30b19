//! Whether a web identity token is good: signed by the cluster, for AWS, and not too old. Reads the keys where AWS would.

use anyhow::{Context, Result};
use jsonwebtoken::{
    DecodingKey, Validation, decode, decode_header, errors::ErrorKind, jwk::JwkSet,
};
use reqwest::Client;
use serde::Deserialize;

use super::sts::Refusal;

/// What STS wants as audience in a pod's token.
pub const STS_AUDIENCE: &str = "sts.amazonaws.com";

/// What EKS Pod Identity wants as audience in it.
pub const POD_IDENTITY_AUDIENCE: &str = "pods.eks.amazonaws.com";

/// Clocks of one machine agree; AWS allows some minutes.
const LEEWAY_SECONDS: u64 = 5;

/// An issuer of tokens.
#[derive(Debug, Clone)]
pub struct Issuer {
    http: Client,
    address: String,
}

/// What the lab reads in a token.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// Who it is: `system:serviceaccount:<namespace>:<name>`.
    pub sub: String,
    /// Whose it is, as Kubernetes writes it.
    #[serde(rename = "kubernetes.io")]
    pub kubernetes: Option<Kubernetes>,
}

/// What Kubernetes says of a token's bearer.
#[derive(Debug, Deserialize)]
pub struct Kubernetes {
    /// The pod, if it is one.
    pub pod: Option<Named>,
}

/// An object by its name.
#[derive(Debug, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
}

impl Issuer {
    /// The issuer at an address, with a client that trusts it.
    pub fn new(http: Client, address: &str) -> Self {
        Self { http, address: address.to_owned() }
    }

    /// Reads a token, or says why it is no good, as AWS would.
    pub async fn verify(&self, token: &str, audience: &str) -> Result<Claims, Refusal> {
        let invalid = |why: String| Refusal::InvalidIdentityToken(why);
        let header = decode_header(token)
            .map_err(|_| invalid("The ID Token provided is not a valid JWT.".into()))?;
        let unreachable = "Couldn't retrieve verification key from your identity provider";
        let keys =
            self.keys().await.map_err(|error| invalid(format!("{unreachable}: {error:#}")))?;
        let key = header.kid.and_then(|id| keys.find(&id).cloned());
        let key =
            key.ok_or_else(|| invalid("No key of the provider has the token's key id".into()))?;
        let key = DecodingKey::from_jwk(&key).map_err(|error| invalid(error.to_string()))?;
        let claims =
            decode::<Claims>(token, &key, &self.validation(audience)).map(|token| token.claims);
        claims.map_err(|error| self.refusal(error.kind()))
    }

    fn validation(&self, audience: &str) -> Validation {
        let mut validation = Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_audience(&[audience]);
        validation.set_issuer(&[&self.address]);
        validation.set_required_spec_claims(&["aud", "exp", "iss", "sub"]);
        validation
    }

    fn refusal(&self, fault: &ErrorKind) -> Refusal {
        match fault {
            ErrorKind::ExpiredSignature => Refusal::ExpiredToken,
            ErrorKind::InvalidAudience => {
                Refusal::InvalidIdentityToken("Incorrect token audience".into())
            }
            ErrorKind::InvalidIssuer => {
                let text =
                    format!("No OpenIDConnect provider but {} is in your account", self.address);
                Refusal::InvalidIdentityToken(text)
            }
            ErrorKind::InvalidSignature => {
                Refusal::InvalidIdentityToken("The token's signature is not valid".into())
            }
            other => Refusal::InvalidIdentityToken(format!("The token is not valid: {other:?}")),
        }
    }

    async fn keys(&self) -> Result<JwkSet> {
        let answer = self.http.get(format!("{}/openid/v1/jwks", self.address)).send().await?;
        let text = answer.error_for_status()?.text().await?;
        serde_json::from_str(&text).context("read the provider's keys")
    }
}
