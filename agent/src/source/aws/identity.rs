//! Who asks AWS: a web identity exchanged at STS, or outside a pod the usual chain.
//!
//! Credentials are shared by all clients, had once however many wait for them, and renewed before
//! they end. There is no other way to them: in a pod no chain and no instance metadata.
#![expect(clippy::disallowed_methods, reason = "credentials end by the clock")]

mod chain;
mod web;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use mayfly_spec::spec::Identity as Kind;
use tokio::sync::Mutex;

use super::{AwsEnvironment, Setup, error, failure::Failure, session};
use crate::{
    fault::{Class, Fault},
    root::Root,
    source::SourceError,
};
use chain::Chain;
use web::WebIdentity;

/// Credentials are renewed so long before they end, or in the last third of a shorter life: longer
/// than a look with its retries takes.
const BEFORE_THE_END: Duration = Duration::from_mins(5);

/// Where credentials come from, and those that are held.
#[derive(Debug)]
pub(super) struct Identity {
    origin: Origin,
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
enum Origin {
    WebIdentity(WebIdentity),
    Chain(Box<Chain>),
}

#[derive(Debug)]
struct Held {
    credentials: Credentials,
    renewed_from: Option<SystemTime>,
}

impl Identity {
    pub(super) fn new(
        setup: &Setup,
        root: &Root,
        environment: AwsEnvironment,
    ) -> Result<Self, SourceError> {
        let region = setup.aws.region.clone().or_else(|| environment.region.clone());
        let origin = match setup.aws.identity {
            Kind::Irsa => Origin::WebIdentity(WebIdentity::new(setup, root, environment, region)?),
            Kind::Default => Origin::Chain(Box::new(Chain::new(setup.connector.clone(), region))),
        };
        Ok(Self { origin, held: Mutex::new(None) })
    }

    /// Credentials that hold for a while: the ones at hand, or new ones. Where there are no new
    /// ones, the old ones do until they end.
    pub(super) async fn credentials(&self) -> Result<Credentials, SourceError> {
        let now = SystemTime::now();
        let mut held = self.held.lock().await;
        let fresh = held.as_ref().filter(|held| held.renewed_from.is_none_or(|from| now < from));
        if let Some(held) = fresh {
            return Ok(held.credentials.clone());
        }
        let new = match &self.origin {
            Origin::WebIdentity(identity) => identity.exchange().await,
            Origin::Chain(chain) => chain.credentials().await,
        };
        let old = held.as_ref().map(|held| &held.credentials);
        let usable = |old: &&Credentials| old.expiry().is_some_and(|end| now < end);
        match (new, old.filter(usable)) {
            (Ok(new), _) => Ok(held.insert(Held::new(new, now)).credentials.clone()),
            (Err(_), Some(old)) => Ok(old.clone()),
            (Err(fault), None) => Err(fault),
        }
    }

    /// Drops `used`, which AWS no longer takes, unless somebody has renewed it already.
    pub(super) async fn forget(&self, used: &Credentials) {
        let mut held = self.held.lock().await;
        let is_used = |held: &Held| held.credentials.access_key_id() == used.access_key_id();
        if held.as_ref().is_some_and(is_used) {
            *held = None;
        }
    }

    /// The region of references that name none.
    pub(super) async fn region(&self) -> Result<String, SourceError> {
        let region = match &self.origin {
            Origin::WebIdentity(identity) => Some(identity.region.clone()),
            Origin::Chain(chain) => chain.region().await,
        };
        region.ok_or_else(no_region)
    }

    /// How this identity is called in a message.
    pub(super) fn name(&self) -> String {
        match &self.origin {
            Origin::WebIdentity(identity) => format!("role `{}`", identity.role_arn),
            Origin::Chain(_) => "the identity of the usual AWS chain".to_owned(),
        }
    }
}

impl Held {
    fn new(credentials: Credentials, now: SystemTime) -> Self {
        let renewed_from = credentials.expiry().map(|end| {
            let life = end.duration_since(now).unwrap_or_default();
            end - BEFORE_THE_END.min(life / 3)
        });
        Self { credentials, renewed_from }
    }
}

fn no_region() -> SourceError {
    Fault::new(
        Class::Configuration,
        "no AWS region is known; set `region` in `aws` (`mayfly.dev/aws-region`)",
    )
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
