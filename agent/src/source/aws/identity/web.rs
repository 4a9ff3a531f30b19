//! IRSA: the service account's token, exchanged at STS for a role's credentials.

use std::{path::PathBuf, rc::Rc};

use aws_credential_types::Credentials;

use super::{
    sts::{Sts, given, no_region},
    token,
};
use crate::{
    fault::{Class, Fault},
    root::Root,
    source::{
        aws::{environment::AwsEnvironment, error, setup::Setup},
        contract::SourceError,
    },
};

/// A token in a file, and the role that STS gives for it.
#[derive(Debug)]
pub(super) struct WebIdentity {
    sts: Sts,
    token_file: PathBuf,
    session: String,
    pub(super) role_arn: String,
    pub(super) region: String,
}

impl WebIdentity {
    pub(super) fn new(
        setup: Rc<Setup>,
        root: &Root,
        environment: AwsEnvironment,
        region: Option<String>,
    ) -> Result<Self, SourceError> {
        let region = region.ok_or_else(no_region)?;
        let role_arn = setup.aws.role_arn.clone().or(environment.role_arn);
        let token_file = setup.aws.token_file.clone().or(environment.token_file);
        Ok(Self {
            token_file: root.resolve(&token_file.ok_or_else(|| missing("`token-file`"))?),
            session: setup.session.clone(),
            role_arn: role_arn.ok_or_else(|| missing("`role-arn`"))?,
            sts: Sts::new(setup, region.clone(), None),
            region,
        })
    }

    /// Reads the token anew, because the kubelet rotates it, and exchanges it.
    pub(super) async fn exchange(&self) -> Result<Credentials, SourceError> {
        let token = token::read(&self.token_file)?;
        let ask = async |sts: aws_sdk_sts::Client| {
            let call = sts
                .assume_role_with_web_identity()
                .role_arn(&self.role_arn)
                .role_session_name(&self.session)
                .web_identity_token(token.as_str());
            Ok(call.send().await?.credentials)
        };
        let answer = self.sts.ask(ask).await;
        // A server may quote what it was sent.
        let fault = |failure| token::hidden(error::exchange(&failure, &self.role_arn), &token);
        given(answer.map_err(fault)?)
    }
}

fn missing(what: &str) -> SourceError {
    let words = format!(
        "no workload identity: {what} is neither in `aws` nor in the agent's environment; annotate the \
         service account with `eks.amazonaws.com/role-arn`, or set `mayfly.dev/aws-role-arn`"
    );
    Fault::new(Class::Refused, words)
}
