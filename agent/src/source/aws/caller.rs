//! Calls to a service of AWS: as whom, in which region, and what is done about credentials that
//! are no longer taken and regions that are down.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use aws_types::SdkConfig;
use futures_util::future::join_all;

use super::{
    access::{Access, Role},
    failure::{Asked, CallError, Failure},
    identity::{Identity, IdentityReport},
    setup::Setup,
};

/// Makes every call of every service.
#[derive(Debug)]
pub(super) struct Caller {
    setup: Rc<Setup>,
    own: Rc<Identity>,
    assumed: RefCell<BTreeMap<Role, Rc<Identity>>>,
}

/// One region, as one identity.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) region: String,
    role: Option<Role>,
    identity: Rc<Identity>,
    setup: Rc<Setup>,
}

impl Caller {
    pub(super) fn new(setup: Rc<Setup>, own: Rc<Identity>) -> Self {
        Self { setup, own, assumed: RefCell::default() }
    }

    /// Everybody who was asked as, the pod's own identity first.
    pub(super) async fn identities(&self) -> Vec<IdentityReport> {
        let assumed: Vec<_> = self.assumed.borrow().values().cloned().collect();
        let all = [self.own.clone()].into_iter().chain(assumed);
        let report = async |identity: Rc<Identity>| {
            let proof = identity.proof();
            IdentityReport { proof, principal: identity.principal().await }
        };
        join_all(all.map(report)).await
    }

    /// Asks where `access` says. While the pod's own region is down, those are asked that stand in
    /// for it; what lies in another region lies there.
    pub(super) async fn call<T>(
        &self,
        access: &Access,
        ask: impl AsyncFn(&Place) -> Result<T, Failure>,
    ) -> Result<(T, Asked), CallError> {
        let own = self.own.region().await;
        let region = match (&access.region, &own) {
            (Some(region), _) | (None, Ok(region)) => region.clone(),
            (None, Err(fault)) => return Err(CallError::Identity(fault.clone())),
        };
        let identity = self.identity(access, &region).await;
        // The way to credentials may show already that the region is down.
        identity.credentials().await.map_err(CallError::Identity)?;
        let ask = async |asked: &str| {
            let (answer, mut asked) =
                self.call_at(self.place(access, asked, &identity), &ask).await?;
            asked.stands_in = asked.region != region;
            Ok((answer, asked))
        };
        if own.is_ok_and(|own| own == region) {
            self.setup.regions.ask(&region, CallError::is_outage, ask).await
        } else {
            ask(&region).await
        }
    }

    /// One call; credentials that AWS no longer takes are renewed once, and a clock that it does not
    /// believe is set once.
    async fn call_at<T>(
        &self,
        place: Place,
        ask: &impl AsyncFn(&Place) -> Result<T, Failure>,
    ) -> Result<(T, Asked), CallError> {
        let used = place.identity.credentials().await.map_err(CallError::Identity)?;
        let mut answer = ask(&place).await;
        if answer.as_ref().is_err_and(Failure::is_stale) {
            place.identity.forget(&used);
            place.identity.credentials().await.map_err(CallError::Identity)?;
            answer = ask(&place).await;
        }
        if answer.as_ref().is_err_and(|failure| self.setup.is_clocks_fault(failure)) {
            answer = ask(&place).await;
        }
        let identity = place.identity.name();
        let asked = Asked { region: place.region, identity, stands_in: false };
        match answer {
            Ok(answer) => Ok((answer, asked)),
            Err(failure) => Err(CallError::Service(failure, asked)),
        }
    }

    fn place(&self, access: &Access, region: &str, identity: &Rc<Identity>) -> Place {
        let (role, setup) = (access.role.clone(), self.setup.clone());
        Place { region: region.to_owned(), role, identity: identity.clone(), setup }
    }

    async fn identity(&self, access: &Access, region: &str) -> Rc<Identity> {
        match &access.role {
            Some(role) => self.assume(role, region).await,
            None => self.own.clone(),
        }
    }

    /// Who has `role`, assumed in the pod's own region, or where it is first used.
    async fn assume(&self, role: &Role, region: &str) -> Rc<Identity> {
        let own = self.own.region().await;
        let make = || {
            let region = own.as_deref().unwrap_or(region);
            Rc::new(Identity::assumed(self.setup.clone(), self.own.clone(), role.clone(), region))
        };
        self.assumed.borrow_mut().entry(role.clone()).or_insert_with(make).clone()
    }
}

impl Place {
    /// The SDK's settings for a service here.
    fn sdk(&self) -> SdkConfig {
        let endpoint = self.setup.aws.endpoint.as_ref();
        let sdk = self.setup.sdk(&self.region, endpoint);
        sdk.credentials_provider(self.identity.provider()).build()
    }
}

/// A service's clients, one for each place.
#[derive(Debug)]
pub(super) struct Clients<C> {
    made: RefCell<BTreeMap<(String, Option<Role>), C>>,
    make: fn(&SdkConfig) -> C,
}

impl<C: Clone> Clients<C> {
    /// No clients yet, and how one is made.
    pub(super) fn new(make: fn(&SdkConfig) -> C) -> Self {
        Self { made: RefCell::default(), make }
    }

    /// The client for `place`.
    pub(super) fn at(&self, place: &Place) -> C {
        let key = (place.region.clone(), place.role.clone());
        let mut made = self.made.borrow_mut();
        made.entry(key).or_insert_with(|| (self.make)(&place.sdk())).clone()
    }
}
