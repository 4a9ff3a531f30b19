//! Who asks AWS: a web identity exchanged at STS, EKS Pod Identity, or outside a pod the usual
//! chain; and roles that are assumed over one of them.
//!
//! Credentials are shared by all clients, had once however many wait for them, and renewed before
//! they end. There is no other way to them: in a pod no chain and no instance metadata.

mod assumed;
mod chain;
mod pod;
mod principal;
mod sts;
mod token;
mod web;

use std::{
    rc::Rc,
    sync::{Arc, PoisonError},
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use mayfly_spec::spec::Identity as Kind;
use tokio::sync::Mutex;

use super::{AwsEnvironment, Setup, access::Role, clock::Clock, error, failure::Failure};
use crate::{
    fault::{Class, Fault},
    http::Http,
    source::SourceError,
};
use assumed::AssumedRole;
use chain::Chain;
use pod::PodIdentity;
pub use principal::Principal;
use sts::Sts;
use web::WebIdentity;

/// Credentials are renewed so long before they end, or in the last third of a shorter life: longer
/// than a look with its retries takes.
const BEFORE_THE_END: Duration = Duration::from_mins(5);

/// Where credentials come from, and those that are held.
#[derive(Debug)]
pub(super) struct Identity {
    origin: Origin,
    held: Mutex<Option<Held>>,
    shown: Shown,
    clock: Clock,
}

/// Somebody who asks, as a person is told.
#[derive(Debug)]
pub struct IdentityReport {
    /// How they prove who they are: `irsa`, `pod-identity`, `?role=<arn>`.
    pub proof: String,
    /// Who they are to AWS.
    pub principal: Result<Principal, SourceError>,
}

#[derive(Debug)]
enum Origin {
    WebIdentity(Box<WebIdentity>),
    PodIdentity(Box<PodIdentity>),
    Chain(Box<Chain>),
    Assumed(Box<AssumedRole>),
}

#[derive(Debug)]
struct Held {
    credentials: Credentials,
    renewed_from: Option<SystemTime>,
}

impl Identity {
    /// The pod's own, or outside a pod that of the usual chain.
    pub(super) fn new(
        setup: Rc<Setup>,
        http: &Http,
        environment: AwsEnvironment,
    ) -> Result<Self, SourceError> {
        let region = setup.aws.region.clone().or_else(|| environment.region.clone());
        let clock = setup.clock.clone();
        let origin = match setup.aws.identity {
            Kind::Irsa => {
                let identity = WebIdentity::new(setup, http.root(), environment, region)?;
                Origin::WebIdentity(Box::new(identity))
            }
            Kind::PodIdentity => {
                Origin::PodIdentity(Box::new(PodIdentity::new(http, environment, region)?))
            }
            Kind::Default => Origin::Chain(Box::new(Chain::new(setup.connector.clone(), region))),
        };
        Ok(Self::of(origin, clock))
    }

    /// A role that is assumed over `over`, at STS in `region`.
    pub(super) fn assumed(setup: Rc<Setup>, over: Rc<Self>, role: Role, region: &str) -> Self {
        let clock = setup.clock.clone();
        Self::of(Origin::Assumed(Box::new(AssumedRole::new(setup, over, role, region))), clock)
    }

    fn of(origin: Origin, clock: Clock) -> Self {
        Self { origin, held: Mutex::new(None), shown: Shown::default(), clock }
    }

    /// Credentials that hold for a while: the ones at hand, or new ones. Where there are no new
    /// ones, the old ones do until they end.
    pub(super) async fn credentials(&self) -> Result<Credentials, SourceError> {
        let now = self.clock.now();
        let mut held = self.held.lock().await;
        let fresh = held.as_ref().filter(|held| held.renewed_from.is_none_or(|from| now < from));
        if let Some(held) = fresh {
            return Ok(held.credentials.clone());
        }
        let new = match &self.origin {
            Origin::WebIdentity(identity) => identity.exchange().await,
            Origin::PodIdentity(identity) => identity.exchange().await,
            Origin::Chain(chain) => chain.credentials().await,
            Origin::Assumed(role) => Box::pin(role.assume()).await,
        };
        let old = held.as_ref().map(|held| &held.credentials);
        let usable = |old: &&Credentials| old.expiry().is_some_and(|end| now < end);
        match (new, old.filter(usable)) {
            (Ok(new), _) => {
                self.shown.show(&new);
                Ok(held.insert(Held::new(new, now)).credentials.clone())
            }
            (Err(_), Some(old)) => Ok(old.clone()),
            (Err(fault), None) => Err(fault),
        }
    }

    /// What shows the SDK the credentials that [`Identity::credentials`] gave last.
    pub(super) fn provider(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(self.shown.clone())
    }

    /// Drops `used`, which AWS no longer takes, unless somebody has renewed it already.
    pub(super) async fn forget(&self, used: &Credentials) {
        let mut held = self.held.lock().await;
        let is_used = |held: &Held| held.credentials.access_key_id() == used.access_key_id();
        if held.as_ref().is_some_and(is_used) {
            *held = None;
        }
    }

    /// As whom AWS knows it, without a try for credentials that it does not hold.
    pub(super) async fn principal(
        self: Rc<Self>,
        setup: Rc<Setup>,
    ) -> Result<Principal, SourceError> {
        if self.held.lock().await.is_none() {
            return Err(Fault::new(Class::Refused, "no credentials"));
        }
        let region = self.region().await?;
        let ask = async |sts: aws_sdk_sts::Client| Ok(sts.get_caller_identity().send().await?);
        let answer = Sts::new(setup, region, Some(self)).ask(ask).await;
        let answer = answer.map_err(|failure| failure.fault("STS"))?;
        Ok(Principal::new(answer.account(), answer.arn().unwrap_or_default()))
    }

    /// The region of references that name none.
    pub(super) async fn region(&self) -> Result<String, SourceError> {
        let region = match &self.origin {
            Origin::WebIdentity(identity) => Some(identity.region.clone()),
            Origin::PodIdentity(identity) => identity.region.clone(),
            Origin::Chain(chain) => chain.region().await,
            Origin::Assumed(role) => Box::pin(role.over.region()).await.ok(),
        };
        region.ok_or_else(no_region)
    }

    /// How it is proven.
    pub(super) fn proof(&self) -> String {
        match &self.origin {
            Origin::WebIdentity(_) => "irsa".to_owned(),
            Origin::PodIdentity(_) => "pod-identity".to_owned(),
            Origin::Chain(_) => "the usual chain".to_owned(),
            Origin::Assumed(role) => format!("?role={}", role.role.arn),
        }
    }

    /// How this identity is called in a message.
    pub(super) fn name(&self) -> String {
        match &self.origin {
            Origin::WebIdentity(identity) => format!("role `{}`", identity.role_arn),
            Origin::PodIdentity(_) => {
                "the role of the pod's EKS Pod Identity association".to_owned()
            }
            Origin::Chain(_) => "the identity of the usual AWS chain".to_owned(),
            Origin::Assumed(role) => format!("role `{}`", role.role.arn),
        }
    }
}

/// The credentials in an answer of STS.
fn given(given: Option<aws_sdk_sts::types::Credentials>) -> Result<Credentials, SourceError> {
    let none = || Fault::new(Class::Unreachable, "STS answered without credentials");
    let given = given.ok_or_else(none)?;
    let end = given.expiration.try_into().ok();
    let (key, secret) = (given.access_key_id, given.secret_access_key);
    Ok(Credentials::new(key, secret, Some(given.session_token), end, "mayfly"))
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

/// The credentials at hand, as the SDK asks for them: whoever calls has seen to them before.
#[derive(Debug, Clone, Default)]
struct Shown(Arc<std::sync::Mutex<Option<Credentials>>>);

impl Shown {
    fn show(&self, credentials: &Credentials) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials.clone());
    }
}

impl ProvideCredentials for Shown {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let none = || CredentialsError::not_loaded("nobody has seen to them");
        future::ProvideCredentials::ready(shown.ok_or_else(none))
    }
}
