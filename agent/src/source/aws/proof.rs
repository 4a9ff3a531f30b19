//! A request that proves to somebody else who the pod is for AWS: signed here, sent by them.
//!
//! It asks STS who signed it (`GetCallerIdentity`) and can be used for nothing else, for minutes.

use std::{fmt, rc::Rc};

use aws_credential_types::Credentials;
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningParams, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_types::base64;

use super::{clock::Clock, identity::Identity};
use crate::{
    fault::{Class, Fault},
    secret::Secret,
    source::contract::SourceError,
};

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The region that requests to STS's global endpoint are signed for.
const GLOBAL: &str = "us-east-1";

/// Proves who the pod is.
#[derive(Debug, Clone)]
pub(in crate::source) struct Prover {
    identity: Rc<Identity>,
    clock: Clock,
}

/// A signed request.
pub(in crate::source) struct Proof {
    url: String,
    headers: Vec<(String, String)>,
    signature: String,
    credentials: Credentials,
}

impl Prover {
    pub(super) fn new(identity: Rc<Identity>, clock: Clock) -> Self {
        Self { identity, clock }
    }

    /// As whom it is signed, in a message.
    pub(in crate::source) fn name(&self) -> String {
        self.identity.name()
    }

    /// A request to STS in `region`, or to its global endpoint, with one more header that is signed too.
    pub(in crate::source) async fn prove(
        &self,
        region: Option<&str>,
        header: Option<(&str, &str)>,
    ) -> Result<Proof, SourceError> {
        let url = endpoint(region).await?;
        let credentials = self.identity.credentials().await?;
        let mut proof = Proof { url, headers: Vec::new(), signature: String::new(), credentials };
        let fixed = [("content-type", CONTENT_TYPE)].into_iter().chain(header);
        proof.headers = fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        proof.sign(region.unwrap_or(GLOBAL), &self.clock).ok_or_else(unsigned)?;
        Ok(proof)
    }

    /// STS no longer takes what `proof` was signed with.
    pub(in crate::source) fn renounce(&self, proof: &Proof) {
        self.identity.forget(&proof.credentials);
    }
}

/// Where to only: the headers hold a signature and a token.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Proof {
    fn sign(&mut self, region: &str, clock: &Clock) -> Option<()> {
        let identity = self.credentials.clone().into();
        let parameters: SigningParams<'_> = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("sts")
            .time(clock.now())
            .settings(SigningSettings::default())
            .build()
            .ok()?
            .into();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(BODY.as_bytes());
        let request = SignableRequest::new("POST", self.url.as_str(), headers, body).ok()?;
        let (instructions, signature) = sign(request, &parameters).ok()?.into_parts();
        self.headers.extend(
            instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        self.signature = signature;
        Some(())
    }

    /// URL and body, and the headers as JSON, each in base64. The method is always `POST`.
    pub(in crate::source) fn parts(&self) -> [Secret; 3] {
        let headers: serde_json::Map<String, serde_json::Value> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), vec![value.clone()].into()))
            .collect();
        let headers = serde_json::Value::Object(headers).to_string();
        let texts = [self.url.as_bytes(), BODY.as_bytes(), headers.as_bytes()];
        texts.map(|text| Secret::from(base64::encode(text)))
    }

    /// What nobody may repeat.
    pub(in crate::source) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.credentials.session_token().into_iter().chain([self.signature.as_str()])
    }
}

async fn endpoint(region: Option<&str>) -> Result<String, SourceError> {
    let parameters = Params::builder()
        .region(region.unwrap_or(GLOBAL))
        .use_global_endpoint(region.is_none())
        .build()
        .map_err(|_| unsigned())?;
    let resolver = DefaultResolver::new();
    let endpoint = resolver.resolve_endpoint(&parameters).await.map_err(|_| unsigned())?;
    Ok(format!("{}/", endpoint.url().trim_end_matches('/')))
}

fn unsigned() -> SourceError {
    let words = "the request to STS cannot be signed; check `region` in `vault.auth.aws`";
    Fault::new(Class::Configuration, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sts_is_global_unless_a_region_is_named() {
        for (region, url) in [
            (None, "https://sts.amazonaws.com/"),
            (Some("eu-central-1"), "https://sts.eu-central-1.amazonaws.com/"),
            (Some("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn/"),
        ] {
            assert_eq!(endpoint(region).await.expect("a URL"), url);
        }
    }
}
