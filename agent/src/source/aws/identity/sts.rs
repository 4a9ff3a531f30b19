//! STS in the pod's own region, and while that is down in those that stand in for it.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sts::{Client, types};

use crate::{
    fault::{Class, Fault},
    source::{
        aws::{failure::Failure, setup::Setup},
        contract::SourceError,
    },
};

/// STS, asked by somebody, or by somebody who shows a token instead.
#[derive(Debug)]
pub(super) struct Sts {
    setup: Rc<Setup>,
    region: String,
    by: Option<SharedCredentialsProvider>,
    clients: RefCell<BTreeMap<String, Client>>,
}

impl Sts {
    pub(super) fn new(
        setup: Rc<Setup>,
        region: String,
        by: Option<SharedCredentialsProvider>,
    ) -> Self {
        Self { setup, region, by, clients: RefCell::default() }
    }

    /// Asks with a client for each region that is tried.
    pub(super) async fn ask<T>(
        &self,
        ask: impl AsyncFn(Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let ask = async |region: &str| ask(self.client(region)).await;
        self.setup.regions.ask(&self.region, Failure::is_outage, ask).await
    }

    fn client(&self, region: &str) -> Client {
        let make = || {
            let mut sdk = self.setup.sts(region);
            sdk.set_credentials_provider(self.by.clone());
            Client::new(&sdk.build())
        };
        self.clients.borrow_mut().entry(region.to_owned()).or_insert_with(make).clone()
    }
}

/// The credentials in an answer of STS.
pub(super) fn given(given: Option<types::Credentials>) -> Result<Credentials, SourceError> {
    let none = || Fault::new(Class::Unreachable, "STS answered without credentials");
    let given = given.ok_or_else(none)?;
    let end = given.expiration.try_into().ok();
    let (key, secret) = (given.access_key_id, given.secret_access_key);
    Ok(Credentials::new(key, secret, Some(given.session_token), end, "mayfly"))
}

/// Nobody has said where STS, or anything else, is to be asked.
pub(super) fn no_region() -> SourceError {
    Fault::new(
        Class::Configuration,
        "no AWS region is known; set `region` in `aws` (`mayfly.dev/aws-region`)",
    )
}
