//! Who asks AWS: a web identity exchanged at STS, EKS Pod Identity, or outside a pod the usual
//! chain; and roles that are assumed over one of them.
//!
//! Credentials are shared by all clients. There is no other way to them: in a pod no chain and no
//! instance metadata.

mod assumed;
mod chain;
mod keeper;
mod pod;
mod principal;
mod sts;
mod token;
mod web;

use std::rc::Rc;

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use mayfly_spec::spec::Identity as Kind;

use super::{access::Role, environment::AwsEnvironment, error, failure::Failure, setup::Setup};
use crate::{
    fault::{Class, Fault},
    http::Http,
    source::contract::SourceError,
};
use assumed::AssumedRole;
use chain::Chain;
use keeper::{Keeper, Standing};
use pod::PodIdentity;
pub use principal::Principal;
use sts::{Sts, no_region};
use web::WebIdentity;

/// Where credentials come from, and those that are held.
#[derive(Debug)]
pub(super) struct Identity {
    setup: Rc<Setup>,
    origin: Origin,
    keeper: Keeper,
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
    Assumed { over: Rc<Identity>, role: Box<AssumedRole> },
}

impl Identity {
    /// The pod's own, or outside a pod that of the usual chain.
    pub(super) fn new(
        setup: Rc<Setup>,
        http: &Http,
        environment: AwsEnvironment,
    ) -> Result<Self, SourceError> {
        let region = setup.aws.region.clone().or_else(|| environment.region.clone());
        let origin = match setup.aws.identity {
            Kind::Irsa => {
                let identity = WebIdentity::new(setup.clone(), http.root(), environment, region)?;
                Origin::WebIdentity(Box::new(identity))
            }
            Kind::PodIdentity => {
                Origin::PodIdentity(Box::new(PodIdentity::new(http, environment, region)?))
            }
            Kind::Default => {
                let files = environment.profile_files;
                Origin::Chain(Box::new(Chain::new(setup.connector.clone(), region, files)))
            }
        };
        Ok(Self::of(setup, origin))
    }

    /// A role that is assumed over `over`, at STS in `region`.
    pub(super) fn assumed(setup: Rc<Setup>, over: Rc<Self>, role: Role, region: &str) -> Self {
        let role = Box::new(AssumedRole::new(setup.clone(), over.provider(), role, region));
        Self::of(setup, Origin::Assumed { over, role })
    }

    fn of(setup: Rc<Setup>, origin: Origin) -> Self {
        let keeper = Keeper::new(setup.clock.clone());
        Self { setup, origin, keeper }
    }

    /// Credentials that are good now. If it is time for new ones, somebody is sent for them, and
    /// nobody waits; only where there are none that hold is there a wait.
    pub(super) async fn credentials(self: &Rc<Self>) -> Result<Credentials, SourceError> {
        if let Origin::Chain(chain) = &self.origin
            && chain.has_changed()
        {
            self.keeper.forget_all();
        }
        match self.keeper.standing() {
            Standing::Good(held) => Ok(held),
            Standing::Ending(held) => {
                self.send_for_new_ones();
                Ok(held)
            }
            Standing::Gone => self.keeper.obtain(Box::pin(self.exchange())).await,
        }
    }

    fn send_for_new_ones(self: &Rc<Self>) {
        if self.keeper.begins_renewal() {
            let identity = self.clone();
            let errand = async move { identity.keeper.renew(Box::pin(identity.exchange())).await };
            self.setup.errands.send(errand);
        }
    }

    async fn exchange(&self) -> Result<Credentials, SourceError> {
        match &self.origin {
            Origin::WebIdentity(identity) => identity.exchange().await,
            Origin::PodIdentity(identity) => identity.exchange().await,
            Origin::Chain(chain) => chain.credentials().await,
            Origin::Assumed { over, role } => Box::pin(self.assume(over, role)).await,
        }
    }

    /// Asks for the role; credentials that STS no longer takes are renewed once.
    async fn assume(
        &self,
        over: &Rc<Self>,
        role: &AssumedRole,
    ) -> Result<Credentials, SourceError> {
        let used = over.credentials().await?;
        let mut answer = role.ask().await;
        if answer.as_ref().is_err_and(Failure::is_stale) {
            over.forget(&used);
            over.credentials().await?;
            answer = role.ask().await;
        }
        if answer.as_ref().is_err_and(|failure| self.setup.is_clocks_fault(failure)) {
            answer = role.ask().await;
        }
        let fault = |failure| error::assume(&failure, &role.role, &over.name());
        sts::given(answer.map_err(fault)?)
    }

    /// What shows the SDK the credentials that [`Identity::credentials`] gave last.
    pub(super) fn provider(&self) -> SharedCredentialsProvider {
        self.keeper.provider()
    }

    /// Drops `used`, which AWS no longer takes, unless somebody has renewed it already.
    pub(super) fn forget(&self, used: &Credentials) {
        self.keeper.forget(used);
    }

    /// As whom AWS knows it, without a try for credentials that it does not hold.
    pub(super) async fn principal(&self) -> Result<Principal, SourceError> {
        if self.keeper.standing() == Standing::Gone {
            return Err(Fault::new(Class::Refused, "no credentials"));
        }
        let region = self.region().await?;
        let ask = async |sts: aws_sdk_sts::Client| Ok(sts.get_caller_identity().send().await?);
        let answer = Sts::new(self.setup.clone(), region, Some(self.provider())).ask(ask).await;
        let answer = answer.map_err(|failure| failure.fault("STS"))?;
        Ok(Principal::new(answer.account(), answer.arn().unwrap_or_default()))
    }

    /// The region of references that name none.
    pub(super) async fn region(&self) -> Result<String, SourceError> {
        let region = match &self.origin {
            Origin::WebIdentity(identity) => Some(identity.region.clone()),
            Origin::PodIdentity(identity) => identity.region.clone(),
            Origin::Chain(chain) => chain.region().await,
            Origin::Assumed { over, .. } => Box::pin(over.region()).await.ok(),
        };
        region.ok_or_else(no_region)
    }

    /// How it is proven.
    pub(super) fn proof(&self) -> String {
        match &self.origin {
            Origin::WebIdentity(_) => "irsa".to_owned(),
            Origin::PodIdentity(_) => "pod-identity".to_owned(),
            Origin::Chain(_) => "the usual chain".to_owned(),
            Origin::Assumed { role, .. } => format!("?role={}", role.role.arn),
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
            Origin::Assumed { role, .. } => format!("role `{}`", role.role.arn),
        }
    }
}
