//! AWS Secrets Manager, with the pod's own identity.
//!
//! The SDK is given everything by hand: credentials, region, endpoint, HTTP client. Its own retries
//! are off, because the schedule does them, and nothing of the environment reaches it in a pod.

mod connector;
mod error;
mod identity;
mod session;

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, rc::Rc, sync::Arc};

use aws_config::BehaviorVersion;
use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueOutput};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};
use mayfly_spec::{
    reference::{Arn, SecretVersion, SecretsManagerSecret},
    spec::Aws,
};

use super::{Fetched, SourceError, Version};
use crate::{
    fault::{Class, Fault},
    http::Http,
    secret::Secret,
};
use connector::Connector;
use error::{Asked, is_stale};
use identity::Identity;

/// What EKS's webhook, and ours, put into the agent's own environment.
#[derive(Debug, Clone, Default)]
pub struct AwsEnvironment {
    /// `AWS_ROLE_ARN`.
    pub role_arn: Option<String>,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE`.
    pub token_file: Option<PathBuf>,
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// The pod's namespace and name, for the session's name.
    pub pod: Option<(String, String)>,
}

/// The SDK's defaults as of this date, so that an update of the SDK changes none of them unseen.
const VERSION: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;

/// Secrets Manager, in as many regions as the references name.
#[derive(Debug)]
pub(super) struct SecretsManager {
    setup: Rc<Setup>,
    identity: Arc<Identity>,
    clients: RefCell<BTreeMap<String, Client>>,
}

/// What every client of AWS is made from.
#[derive(Debug)]
pub(super) struct Setup {
    connector: Connector,
    aws: Aws,
}

impl Setup {
    /// The SDK's settings for a service in `region`.
    fn sdk(&self, region: &str, endpoint: Option<&String>) -> SdkConfig {
        let mut sdk = SdkConfig::builder()
            .behavior_version(VERSION())
            .http_client(self.connector.clone())
            .region(Region::new(region.to_owned()))
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(
                aws_config::stalled_stream_protection::StalledStreamProtectionConfig::disabled(),
            )
            .identity_cache(aws_sdk_secretsmanager::config::IdentityCache::no_cache());
        sdk.set_endpoint_url(endpoint.cloned());
        sdk.build()
    }
}

impl SecretsManager {
    pub(super) fn new(
        aws: Aws,
        http: &Http,
        environment: AwsEnvironment,
    ) -> Result<Self, SourceError> {
        let endpoints = [&aws.endpoint, &aws.sts_endpoint];
        let is_plain = |endpoint: &Option<String>| {
            endpoint.as_ref().is_some_and(|url| url.starts_with("http://"))
        };
        let uses_tls = !is_plain(&aws.endpoint)
            || endpoints.into_iter().any(|url| url.is_some() && !is_plain(url));
        let client = http
            .client(aws.ca.as_ref(), uses_tls)
            .map_err(|error| Fault::new(Class::Configuration, format_args!("`aws`: {error}")))?;
        let setup = Rc::new(Setup { connector: Connector::new(client), aws });
        let identity = Arc::new(Identity::new(&setup, http.root(), environment)?);
        Ok(Self { setup, identity, clients: RefCell::default() })
    }

    /// Reads the secret; credentials that AWS no longer takes are renewed once.
    pub(super) async fn fetch(
        &self,
        secret: &SecretsManagerSecret,
    ) -> Result<Fetched, SourceError> {
        let region = self.region(secret).await?;
        let client = self.client(&region);
        let used = self.identity.credentials().await?;
        let mut answer = ask(&client, secret).await;
        if answer.as_ref().is_err_and(is_stale) {
            self.identity.forget(&used).await;
            self.identity.credentials().await?;
            answer = ask(&client, secret).await;
        }
        let asked = Asked { id: &secret.id, region: &region, identity: &self.identity.name() };
        answer
            .map_err(|error| error::read(&error, &asked))
            .and_then(|output| fetched(output, &asked))
    }

    async fn region(&self, secret: &SecretsManagerSecret) -> Result<String, SourceError> {
        let named = Arn::parse(&secret.id).map(|arn| arn.region().to_owned()).ok();
        match named.or_else(|| secret.region.clone()) {
            Some(region) => Ok(region),
            None => self.identity.region().await,
        }
    }

    fn client(&self, region: &str) -> Client {
        let mut clients = self.clients.borrow_mut();
        let make = || {
            let sdk = self.setup.sdk(region, self.setup.aws.endpoint.as_ref());
            let config = aws_sdk_secretsmanager::config::Builder::from(&sdk);
            Client::from_conf(
                config.credentials_provider(identity::Provider(self.identity.clone())).build(),
            )
        };
        clients.entry(region.to_owned()).or_insert_with(make).clone()
    }
}

type Answer = Result<GetSecretValueOutput, error::ReadError>;

async fn ask(client: &Client, secret: &SecretsManagerSecret) -> Answer {
    let call = client.get_secret_value().secret_id(&secret.id);
    let call = match &secret.version {
        Some(SecretVersion::Stage(stage)) => call.version_stage(stage),
        Some(SecretVersion::Id(id)) => call.version_id(id),
        None => call,
    };
    call.send().await
}

/// Text or binary; the SDK has decoded base64 already.
fn fetched(output: GetSecretValueOutput, asked: &Asked<'_>) -> Result<Fetched, SourceError> {
    let created = output.created_date.and_then(|date| date.try_into().ok());
    let version = Version::named(output.version_id, created);
    let text = output.secret_string.map(Secret::from);
    let value = text.or_else(|| output.secret_binary.map(|blob| Secret::from(blob.into_inner())));
    let empty = || {
        Fault::new(
            Class::Missing,
            format_args!("the secret `{}` in {} has no value yet", asked.id, asked.region),
        )
    };
    value.ok_or_else(empty).map(|value| Fetched { data: value.into(), version })
}
