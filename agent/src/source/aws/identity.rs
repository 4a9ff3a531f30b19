//! Who asks AWS: a web identity exchanged at STS, or outside a pod the usual chain.
//!
//! Credentials are shared by all clients, exchanged once however many wait, and renewed before
//! they end. There is no other way to them: in a pod no chain and no instance metadata.
#![expect(
    clippy::disallowed_methods,
    reason = "tokens are read from files; credentials end by the clock"
)]

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_config::{
    default_provider::{credentials::DefaultCredentialsChain, region::DefaultRegionChain},
    provider_config::ProviderConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use mayfly_spec::spec::Identity as Kind;
use tokio::sync::{Mutex, OnceCell};

use super::{AwsEnvironment, Setup, connector::Connector, error, session};
use crate::{
    fault::{Class, Fault},
    root::Root,
    source::SourceError,
};

/// Credentials are renewed so long before they end: longer than a look with its retries takes.
const BEFORE_THE_END: Duration = Duration::from_secs(300);

/// Where credentials come from, and those that are held.
#[derive(Debug)]
pub(super) struct Identity {
    origin: Origin,
    region: Option<String>,
    held: Mutex<Option<Credentials>>,
}

#[derive(Debug)]
enum Origin {
    WebIdentity(WebIdentity),
    Chain { connector: Connector, region: OnceCell<Option<String>> },
}

/// A token in a file, and the role that STS gives for it.
#[derive(Debug)]
struct WebIdentity {
    sts: aws_sdk_sts::Client,
    role_arn: String,
    token_file: PathBuf,
    session_name: String,
}

impl Identity {
    pub(super) fn new(
        setup: &Setup,
        root: &Root,
        environment: AwsEnvironment,
    ) -> Result<Self, SourceError> {
        let region = setup.aws.region.clone().or_else(|| environment.region.clone());
        let origin = match setup.aws.identity {
            Kind::Irsa => {
                Origin::WebIdentity(WebIdentity::new(setup, root, environment, region.as_deref())?)
            }
            Kind::Default => {
                Origin::Chain { connector: setup.connector.clone(), region: OnceCell::new() }
            }
        };
        Ok(Self { origin, region, held: Mutex::new(None) })
    }

    /// Credentials that hold for a while: the ones at hand, or new ones.
    pub(super) async fn credentials(&self) -> Result<Credentials, SourceError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|credentials| !is_ending(credentials)) {
            return Ok(credentials.clone());
        }
        let new = match &self.origin {
            Origin::WebIdentity(identity) => identity.exchange().await?,
            Origin::Chain { connector, .. } => from_chain(connector).await?,
        };
        Ok(held.insert(new).clone())
    }

    /// Drops `used`, which AWS no longer takes, unless somebody has renewed it already.
    pub(super) async fn forget(&self, used: &Credentials) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.access_key_id() == used.access_key_id()) {
            *held = None;
        }
    }

    /// The region of references that name none.
    pub(super) async fn region(&self) -> Result<String, SourceError> {
        let chain = match (&self.region, &self.origin) {
            (Some(region), _) => return Ok(region.clone()),
            (None, Origin::Chain { region, .. }) => region.get_or_init(chain_region).await.clone(),
            (None, Origin::WebIdentity(_)) => None,
        };
        chain.ok_or_else(no_region)
    }

    /// How this identity is called in a message.
    pub(super) fn name(&self) -> String {
        match &self.origin {
            Origin::WebIdentity(identity) => format!("role `{}`", identity.role_arn),
            Origin::Chain { .. } => "the identity of the usual AWS chain".to_owned(),
        }
    }
}

fn is_ending(credentials: &Credentials) -> bool {
    credentials.expiry().is_some_and(|end| end < SystemTime::now() + BEFORE_THE_END)
}

fn no_region() -> SourceError {
    Fault::new(
        Class::Configuration,
        "no AWS region is known; set `region` in `aws` (`mayfly.dev/aws-region`)",
    )
}

impl WebIdentity {
    fn new(
        setup: &Setup,
        root: &Root,
        environment: AwsEnvironment,
        region: Option<&str>,
    ) -> Result<Self, SourceError> {
        let missing = |what: &str| {
            let words = format!(
                "no workload identity: {what} is neither in `aws` nor in the agent's environment; \
                 annotate the service account with `eks.amazonaws.com/role-arn`, or set `mayfly.dev/aws-role-arn`"
            );
            Fault::new(Class::Refused, words)
        };
        let role_arn = setup.aws.role_arn.clone().or(environment.role_arn);
        let token_file = setup.aws.token_file.clone().or(environment.token_file);
        let endpoint = setup.aws.sts_endpoint.as_ref().or(setup.aws.endpoint.as_ref());
        let sdk = setup.sdk(region.ok_or_else(no_region)?, endpoint);
        Ok(Self {
            sts: aws_sdk_sts::Client::from_conf(aws_sdk_sts::config::Builder::from(&sdk).build()),
            role_arn: role_arn.ok_or_else(|| missing("`role-arn`"))?,
            token_file: root.resolve(&token_file.ok_or_else(|| missing("`token-file`"))?),
            session_name: session::name(environment.pod.as_ref()),
        })
    }

    /// Reads the token anew, because the kubelet rotates it, and exchanges it.
    async fn exchange(&self) -> Result<Credentials, SourceError> {
        let token = self.token()?;
        let answer = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&self.role_arn)
            .role_session_name(&self.session_name)
            .web_identity_token(&token)
            .send()
            .await
            .map_err(|error| error::exchange(&error, &self.role_arn))
            // A server may quote what it was sent.
            .map_err(|fault| Fault::new(fault.class, fault.message.replace(&token, "…")))?;
        let credentials = answer
            .credentials
            .ok_or_else(|| Fault::new(Class::Unreachable, "STS answered without credentials"))?;
        let end = credentials.expiration.try_into().ok();
        let (key, secret, session) =
            (credentials.access_key_id, credentials.secret_access_key, credentials.session_token);
        Ok(Credentials::new(key, secret, Some(session), end, "mayfly"))
    }

    fn token(&self) -> Result<String, SourceError> {
        let path = self.token_file.display();
        let refused = |reason: &dyn std::fmt::Display| {
            Fault::new(
                Class::Refused,
                format_args!(
                    "no workload identity: the token in `{path}` cannot be used: {reason}"
                ),
            )
        };
        let token = std::fs::read_to_string(&self.token_file).map_err(|error| refused(&error))?;
        let token = token.trim();
        if token.is_empty() { Err(refused(&"the file is empty")) } else { Ok(token.to_owned()) }
    }
}

async fn chain_region() -> Option<String> {
    DefaultRegionChain::builder().build().region().await.map(|region| region.to_string())
}

async fn from_chain(connector: &Connector) -> Result<Credentials, SourceError> {
    let config = ProviderConfig::with_default_region().await.with_http_client(connector.clone());
    let chain = DefaultCredentialsChain::builder().configure(config).build().await;
    chain.provide_credentials().await.map_err(|error| error::chain(&error))
}

/// The identity as the SDK asks for it.
#[derive(Debug)]
pub(super) struct Provider(pub(super) Arc<Identity>);

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.0.credentials().await.map_err(CredentialsError::provider_error)
        })
    }
}
