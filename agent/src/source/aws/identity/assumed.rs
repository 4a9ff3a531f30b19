//! A role that is assumed over another identity: in another account, or with other permissions.

use std::rc::Rc;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::types::Credentials;

use super::sts::Sts;
use crate::source::aws::{access::Role, failure::Failure, setup::Setup};

/// A role, and where and as whom it is asked for.
#[derive(Debug)]
pub(super) struct AssumedRole {
    sts: Sts,
    pub(super) role: Role,
    session: String,
}

impl AssumedRole {
    pub(super) fn new(
        setup: Rc<Setup>,
        over: SharedCredentialsProvider,
        role: Role,
        region: &str,
    ) -> Self {
        let session = setup.session.clone();
        Self { sts: Sts::new(setup, region.to_owned(), Some(over)), role, session }
    }

    /// Asks for the role, once.
    pub(super) async fn ask(&self) -> Result<Option<Credentials>, Failure> {
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
