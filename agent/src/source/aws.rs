//! AWS with the pod's own identity: Secrets Manager, the Parameter Store and KMS.
//!
//! ```text
//! batch ── access            which references are asked for together, where and as whom
//! secrets_manager, parameter_store, kms ── error      what is asked, and what an answer means
//! caller ── regions, failure one call: credentials, and another region while one is down
//! identity ── session        who asks
//! proof                       who the pod is, shown to somebody else
//! connector, clock           the agent's own HTTP client, and the time that AWS has
//! ```
//! The SDK is given everything by hand: credentials, region, endpoint, HTTP client. Its own retries
//! are off, because the schedule does them, and nothing of the environment reaches it in a pod.

mod access;
mod batch;
mod caller;
mod clock;
mod connector;
mod error;
mod failure;
mod identity;
mod kms;
mod parameter_store;
mod proof;
mod regions;
mod secrets_manager;
mod session;

use std::{path::PathBuf, rc::Rc};

use aws_config::BehaviorVersion;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region, sdk_config};
use mayfly_spec::{
    Location,
    reference::{Arn, Parameter, SealedHeader, SecretsManagerSecret},
    spec::{self, Workload},
};
use url::Url;

use super::contract::{Ask, Fetched, SourceError, unsupported};
use crate::{
    fault::{Class, Fault},
    http::{Client, Http},
    sealing::DataKey,
};
use caller::Caller;
use clock::Clock;
use connector::Connector;
use failure::Failure;
use identity::Identity;
use kms::Kms;
use parameter_store::ParameterStore;
use regions::Regions;
use secrets_manager::SecretsManager;

pub(super) use batch::{lane, plan};
pub use identity::{IdentityReport, Principal};
pub use kms::opened_again;
pub(super) use proof::Prover;
pub use secrets_manager::Rotation;

/// What EKS's webhook, and ours, put into the agent's own environment.
#[derive(Debug, Clone, Default)]
pub struct AwsEnvironment {
    /// `AWS_ROLE_ARN`.
    pub role_arn: Option<String>,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE`.
    pub token_file: Option<PathBuf>,
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    pub credentials_uri: Option<String>,
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    pub credentials_token_file: Option<PathBuf>,
    /// The pod's namespace and name, for the session's name.
    pub pod: Option<(String, String)>,
    /// The pod's service account.
    pub service_account: Option<String>,
}

impl AwsEnvironment {
    /// For whom values are sealed that a pod may open; its own, and nobody else's.
    pub fn workload(&self) -> Option<Workload> {
        let ((namespace, _), service_account) =
            self.pod.clone().zip(self.service_account.clone())?;
        Some(Workload { namespace, service_account })
    }
}

/// The SDK's defaults as of this date, so that an update of the SDK changes none of them unseen.
const VERSION: fn() -> BehaviorVersion = BehaviorVersion::v2026_01_12;

/// Everything of AWS that is read.
#[derive(Debug)]
pub(super) struct Aws {
    caller: Caller,
    secrets: SecretsManager,
    parameters: ParameterStore,
    kms: Kms,
    workload: Option<Workload>,
    prover: Prover,
}

/// What every client of AWS is made from.
#[derive(Debug)]
struct Setup {
    connector: Connector,
    aws: spec::Aws,
    /// The name of every session that the agent opens.
    session: String,
    regions: Regions,
    clock: Clock,
}

impl Setup {
    /// The SDK's settings for a service in `region`.
    fn sdk(&self, region: &str, endpoint: Option<&String>) -> sdk_config::Builder {
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
        sdk.set_endpoint_url(endpoint.map(|endpoint| endpoint.replace("{region}", region)));
        sdk.use_fips(self.aws.fips).use_dual_stack(self.aws.dual_stack)
    }

    /// Whether this machine's clock may be why AWS did not take a signature. The next one of the
    /// same client is made by AWS's clock.
    fn is_clocks_fault(&self, failure: &Failure) -> bool {
        failure.their_time().is_some_and(|theirs| self.clock.set_by(theirs))
    }

    /// The settings for STS in `region`.
    fn sts(&self, region: &str) -> sdk_config::Builder {
        self.sdk(region, self.aws.sts_endpoint.as_ref().or(self.aws.endpoint.as_ref()))
    }
}

impl Aws {
    pub(super) fn new(
        aws: spec::Aws,
        http: &Http,
        environment: AwsEnvironment,
        workload: Option<Workload>,
    ) -> Result<Self, SourceError> {
        refuse(&aws)?;
        let connector = Connector::new(client(&aws, http)?);
        let session = session::name(environment.pod.as_ref());
        let regions = Regions::new(aws.failover_regions.clone());
        let setup = Rc::new(Setup { connector, aws, session, regions, clock: Clock::default() });
        let identity = Rc::new(Identity::new(setup.clone(), http, environment)?);
        let prover = Prover::new(identity.clone(), setup.clock.clone());
        let caller = Caller::new(setup, identity);
        let (secrets, parameters) = (SecretsManager::new(), ParameterStore::new());
        Ok(Self { caller, secrets, parameters, kms: Kms::new(), workload, prover })
    }

    /// Proves who the pod is, with the credentials that everything is read with.
    pub(super) fn prover(&self) -> Prover {
        self.prover.clone()
    }

    /// A new data key for a value that is sealed with `key`, for `workload`.
    pub(super) async fn data_key(
        &self,
        key: &Arn,
        workload: &Workload,
    ) -> Result<(DataKey, SealedHeader), SourceError> {
        self.kms.data_key(&self.caller, key, workload).await
    }

    /// As whom AWS was asked so far.
    pub(super) async fn identities(&self) -> Vec<IdentityReport> {
        self.caller.identities().await
    }

    /// What Secrets Manager does to the secret by itself.
    pub(super) async fn rotation(
        &self,
        secret: &SecretsManagerSecret,
    ) -> Result<Rotation, SourceError> {
        self.secrets.rotation(&self.caller, secret).await
    }

    /// Reads one batch of [`plan`]; an answer for each of its locations, in their order.
    pub(super) async fn fetch(&self, batch: &[Ask]) -> Vec<Result<Fetched, SourceError>> {
        if let [Ask { location: Location::Kms(sealed), held }] = batch {
            let opened = kms::still_good(held.as_ref()).map(Ok);
            return vec![match opened {
                Some(opened) => opened,
                None => self.kms.open(&self.caller, sealed, self.workload.as_ref()).await,
            }];
        }
        let locations = || batch.iter().map(|ask| &ask.location);
        let secrets: Vec<&SecretsManagerSecret> = locations().filter_map(secret).collect();
        let parameters: Vec<&Parameter> = locations().filter_map(parameter).collect();
        if secrets.len() == batch.len() {
            self.secrets.fetch(&self.caller, &secrets).await
        } else if parameters.len() == batch.len() {
            self.parameters.fetch(&self.caller, &parameters).await
        } else {
            locations().map(|location| Err(unsupported(location))).collect()
        }
    }
}

/// What contradicts itself.
fn refuse(aws: &spec::Aws) -> Result<(), SourceError> {
    let own = aws.endpoint.is_some() || aws.sts_endpoint.is_some();
    let words = if own && (aws.fips || aws.dual_stack) {
        "`fips` and `dual-stack` choose among AWS's own endpoints; leave `endpoint` and `sts-endpoint` out"
    } else if aws.proxy.as_deref().is_some_and(|proxy| !is_proxy(proxy)) {
        "`proxy` is no URL of a proxy; write `http://<host>:<port>`, without user and password, which would lie open"
    } else {
        return Ok(());
    };
    Err(Fault::new(Class::Configuration, format_args!("`aws`: {words}")))
}

fn is_proxy(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

/// The client for everything but the node's own agent.
fn client(aws: &spec::Aws, http: &Http) -> Result<Client, SourceError> {
    let is_plain =
        |endpoint: &Option<String>| endpoint.as_ref().is_some_and(|url| url.starts_with("http://"));
    let uses_tls =
        !is_plain(&aws.endpoint) || aws.sts_endpoint.is_some() && !is_plain(&aws.sts_endpoint);
    let client = match &aws.proxy {
        Some(proxy) => http.client_through(proxy, aws.ca.as_ref()),
        None => http.client(aws.ca.as_ref(), uses_tls),
    };
    client.map_err(|error| Fault::new(Class::Configuration, format_args!("`aws`: {error}")))
}

fn secret(location: &Location) -> Option<&SecretsManagerSecret> {
    match location {
        Location::AwsSm(secret) => Some(secret),
        _ => None,
    }
}

fn parameter(location: &Location) -> Option<&Parameter> {
    match location {
        Location::AwsSsm(parameter) => Some(parameter),
        _ => None,
    }
}
