//! STS in the pod's own region, and while that is down in those that stand in for it.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use aws_sdk_sts::Client;

use super::{Failure, Identity, Setup};

/// STS, asked by somebody, or by somebody who shows a token instead.
#[derive(Debug)]
pub(super) struct Sts {
    setup: Rc<Setup>,
    region: String,
    by: Option<Rc<Identity>>,
    clients: RefCell<BTreeMap<String, Client>>,
}

impl Sts {
    pub(super) fn new(setup: Rc<Setup>, region: String, by: Option<Rc<Identity>>) -> Self {
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
            sdk.set_credentials_provider(self.by.as_ref().map(|identity| identity.provider()));
            Client::new(&sdk.build())
        };
        self.clients.borrow_mut().entry(region.to_owned()).or_insert_with(make).clone()
    }
}
