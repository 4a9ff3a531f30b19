//! Calls to a service of AWS: as whom, in which region, and what is done about credentials that
//! are no longer taken.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;

use super::{
    Setup,
    access::{Access, Role},
    failure::Failure,
    identity::{Identity, Provider},
};
use crate::source::SourceError;

/// Makes every call of every service.
#[derive(Debug)]
pub(super) struct Caller {
    setup: Rc<Setup>,
    own: Arc<Identity>,
    assumed: RefCell<BTreeMap<Role, Arc<Identity>>>,
}

/// One region, as one identity.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) region: String,
    role: Option<Role>,
    identity: Arc<Identity>,
    setup: Rc<Setup>,
}

/// What a message says about a call: where, and by whom.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) region: String,
    pub(super) identity: String,
}

/// A call without an answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// There are no credentials for it, or no region.
    Identity(SourceError),
    /// The service, or the way to it.
    Service(Failure, Asked),
}

impl Caller {
    pub(super) fn new(setup: Rc<Setup>, own: Arc<Identity>) -> Self {
        Self { setup, own, assumed: RefCell::default() }
    }

    /// Asks where `access` says; credentials that AWS no longer takes are renewed once.
    pub(super) async fn call<T>(
        &self,
        access: &Access,
        ask: impl AsyncFn(&Place) -> Result<T, Failure>,
    ) -> Result<(T, Asked), CallError> {
        let place = self.place(access).await.map_err(CallError::Identity)?;
        let used = place.identity.credentials().await.map_err(CallError::Identity)?;
        let mut answer = ask(&place).await;
        if answer.as_ref().is_err_and(Failure::is_stale) {
            place.identity.forget(&used).await;
            place.identity.credentials().await.map_err(CallError::Identity)?;
            answer = ask(&place).await;
        }
        let asked = Asked { region: place.region, identity: place.identity.name() };
        match answer {
            Ok(answer) => Ok((answer, asked)),
            Err(failure) => Err(CallError::Service(failure, asked)),
        }
    }

    async fn place(&self, access: &Access) -> Result<Place, SourceError> {
        let region = match &access.region {
            Some(region) => region.clone(),
            None => self.own.region().await?,
        };
        let (role, setup) = (access.role.clone(), self.setup.clone());
        let identity = match &role {
            Some(role) => self.assume(role, &region).await,
            None => self.own.clone(),
        };
        Ok(Place { region, role, identity, setup })
    }

    /// Who has `role`, assumed in the pod's own region, or where it is first used.
    async fn assume(&self, role: &Role, region: &str) -> Arc<Identity> {
        let own = self.own.region().await;
        let make = || {
            let region = own.as_deref().unwrap_or(region);
            Arc::new(Identity::assumed(&self.setup, self.own.clone(), role.clone(), region))
        };
        self.assumed.borrow_mut().entry(role.clone()).or_insert_with(make).clone()
    }
}

impl Place {
    /// The SDK's settings for a service here.
    fn sdk(&self) -> SdkConfig {
        let endpoint = self.setup.aws.endpoint.as_ref();
        let provider = SharedCredentialsProvider::new(Provider(self.identity.clone()));
        self.setup.sdk(&self.region, endpoint).credentials_provider(provider).build()
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
