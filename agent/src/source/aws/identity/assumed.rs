//! A role that is assumed over another identity: in another account, or with other permissions.

use std::rc::Rc;

use aws_credential_types::Credentials;

use super::{Failure, Identity, Setup, error, given, sts::Sts};
use crate::source::{aws::access::Role, contract::SourceError};

/// A role, and who assumes it.
#[derive(Debug)]
pub(super) struct AssumedRole {
    setup: Rc<Setup>,
    sts: Sts,
    pub(super) over: Rc<Identity>,
    pub(super) role: Role,
    session: String,
}

impl AssumedRole {
    pub(super) fn new(setup: Rc<Setup>, over: Rc<Identity>, role: Role, region: &str) -> Self {
        let session = setup.session.clone();
        let sts = Sts::new(setup.clone(), region.to_owned(), Some(over.clone()));
        Self { setup, sts, over, role, session }
    }

    /// Asks for the role; credentials that STS no longer takes are renewed once.
    pub(super) async fn assume(&self) -> Result<Credentials, SourceError> {
        let used = self.over.credentials().await?;
        let mut answer = self.ask().await;
        if answer.as_ref().is_err_and(Failure::is_stale) {
            self.over.forget(&used).await;
            self.over.credentials().await?;
            answer = self.ask().await;
        }
        if answer.as_ref().is_err_and(|failure| self.setup.is_clocks_fault(failure)) {
            answer = self.ask().await;
        }
        let fault = |failure| error::assume(&failure, &self.role, &self.over.name());
        given(answer.map_err(fault)?)
    }

    async fn ask(&self) -> Result<Option<aws_sdk_sts::types::Credentials>, Failure> {
        let ask = async |sts: aws_sdk_sts::Client| {
            let call = sts
                .assume_role()
                .role_arn(&self.role.arn)
                .role_session_name(&self.session)
                .set_external_id(self.role.external_id.clone());
            Ok(call.send().await?.credentials)
        };
        self.sts.ask(ask).await
    }
}
