//! A role that is assumed over another identity: in another account, or with other permissions.

use std::sync::Arc;

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};

use super::{Failure, Identity, Provider, Setup, error, given};
use crate::source::{SourceError, aws::access::Role};

/// A role, and who assumes it.
#[derive(Debug)]
pub(super) struct AssumedRole {
    sts: aws_sdk_sts::Client,
    pub(super) over: Arc<Identity>,
    pub(super) role: Role,
    session: String,
}

impl AssumedRole {
    pub(super) fn new(setup: &Setup, over: Arc<Identity>, role: Role, region: &str) -> Self {
        let provider = SharedCredentialsProvider::new(Provider(over.clone()));
        let sdk = setup.sts(region).credentials_provider(provider).build();
        Self { sts: aws_sdk_sts::Client::new(&sdk), over, role, session: setup.session.clone() }
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
        let fault = |failure| error::assume(&failure, &self.role, &self.over.name());
        given(answer.map_err(fault)?)
    }

    async fn ask(&self) -> Result<Option<aws_sdk_sts::types::Credentials>, Failure> {
        let call = self
            .sts
            .assume_role()
            .role_arn(&self.role.arn)
            .role_session_name(&self.session)
            .set_external_id(self.role.external_id.clone());
        Ok(call.send().await?.credentials)
    }
}
