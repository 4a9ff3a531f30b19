//! AWS with the pod's own identity: Secrets Manager, the Parameter Store and KMS.
//!
//! ```text
//! batch ── access            which references are asked for together, where and as whom
//! secrets_manager, parameter_store, kms ── error      what is asked, and what an answer means
//! caller ── regions          one call: credentials, and another region while one is down
//! proof                      who the pod is, shown to somebody else
//! identity ── environment, session, errands           who asks
//! setup ── failure           what clients are made from, and a call that failed
//! connector ── shape; clock  the agent's own HTTP client, and the time that AWS has
//! ```
//! The SDK is given everything by hand: credentials, region, endpoint, HTTP client. Its own retries
//! are off, because the schedule does them, and nothing of the environment reaches it in a pod.

mod access;
mod batch;
mod caller;
mod clock;
mod connector;
mod environment;
mod errands;
mod error;
mod failure;
mod identity;
mod kms;
mod parameter_store;
mod proof;
mod regions;
mod secrets_manager;
mod session;
mod setup;
mod shape;

use std::{convert::Infallible, rc::Rc};

use mayfly_spec::{
    Location,
    reference::{Arn, Parameter, SealedHeader, SecretsManagerSecret},
    spec::{self, Workload},
};
use url::Url;

use super::contract::{Ask, Fetched, SourceError, unsupported};
use crate::{
    clock::Clock as Local,
    fault::{Class, Fault},
    http::{Client, Http},
    sealing::DataKey,
};
use caller::Caller;
use clock::Clock;
use connector::Connector;
use errands::Errands;
use identity::Identity;
use kms::Kms;
use parameter_store::ParameterStore;
use regions::Regions;
use secrets_manager::SecretsManager;
use setup::Setup;

pub(super) use batch::{lane, plan};
pub use environment::AwsEnvironment;
pub use identity::{IdentityReport, Principal};
pub use kms::opened_again;
pub(super) use proof::Prover;
pub use secrets_manager::Rotation;

/// Everything of AWS that is read.
#[derive(Debug)]
pub(super) struct Aws {
    setup: Rc<Setup>,
    caller: Caller,
    secrets: SecretsManager,
    parameters: ParameterStore,
    kms: Kms,
    workload: Option<Workload>,
    prover: Prover,
}

/// What time it is, and chance: numbers from 0 to 1.
pub(super) struct Circumstances {
    pub(super) clock: Rc<dyn Local>,
    pub(super) jitter: fn() -> f64,
}

impl Aws {
    pub(super) fn new(
        aws: spec::Aws,
        http: &Http,
        environment: AwsEnvironment,
        workload: Option<Workload>,
        Circumstances { clock, jitter }: Circumstances,
    ) -> Result<Self, SourceError> {
        refuse(&aws)?;
        let connector = Connector::new(client(&aws, http)?);
        let session = session::name(environment.pod.as_ref());
        let regions = Regions::new(aws.failover_regions.clone());
        let (clock, errands) = (Clock::new(clock), Errands::default());
        let setup = Rc::new(Setup { connector, aws, session, regions, clock, errands });
        let identity = Rc::new(Identity::new(setup.clone(), http, environment)?);
        let prover = Prover::new(identity.clone(), setup.clock.clone());
        let caller = Caller::new(setup.clone(), identity);
        let (secrets, parameters) = (SecretsManager::new(), ParameterStore::new());
        Ok(Self { setup, caller, secrets, parameters, kms: Kms::new(jitter), workload, prover })
    }

    /// Renews credentials that are still good beside the work, for as long as it is polled.
    pub(super) async fn run_errands(&self) -> Infallible {
        self.setup.errands.run().await
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
