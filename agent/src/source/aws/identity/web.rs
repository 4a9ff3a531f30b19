//! IRSA: the service account's token, exchanged at STS for a role's credentials.

use std::path::PathBuf;

use aws_credential_types::Credentials;

use super::{AwsEnvironment, Failure, Setup, error, given, no_region, token};
use crate::{
    fault::{Class, Fault},
    root::Root,
    source::SourceError,
};

/// A token in a file, and the role that STS gives for it.
#[derive(Debug)]
pub(super) struct WebIdentity {
    sts: aws_sdk_sts::Client,
    token_file: PathBuf,
    session: String,
    pub(super) role_arn: String,
    pub(super) region: String,
}

impl WebIdentity {
    pub(super) fn new(
        setup: &Setup,
        root: &Root,
        environment: AwsEnvironment,
        region: Option<String>,
    ) -> Result<Self, SourceError> {
        let region = region.ok_or_else(no_region)?;
        let role_arn = setup.aws.role_arn.clone().or(environment.role_arn);
        let token_file = setup.aws.token_file.clone().or(environment.token_file);
        Ok(Self {
            sts: aws_sdk_sts::Client::new(&setup.sts(&region).build()),
            token_file: root.resolve(&token_file.ok_or_else(|| missing("`token-file`"))?),
            session: setup.session.clone(),
            role_arn: role_arn.ok_or_else(|| missing("`role-arn`"))?,
            region,
        })
    }

    /// Reads the token anew, because the kubelet rotates it, and exchanges it.
    pub(super) async fn exchange(&self) -> Result<Credentials, SourceError> {
        let token = token::read(&self.token_file)?;
        let answer = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&self.role_arn)
            .role_session_name(&self.session)
            .web_identity_token(token.as_str())
            .send()
            .await
            .map_err(|error| error::exchange(&Failure::from(error), &self.role_arn))
            // A server may quote what it was sent.
            .map_err(|fault| token::hidden(&fault, &token))?;
        given(answer.credentials)
    }
}

fn missing(what: &str) -> SourceError {
    let words = format!(
        "no workload identity: {what} is neither in `aws` nor in the agent's environment; annotate the \
         service account with `eks.amazonaws.com/role-arn`, or set `mayfly.dev/aws-role-arn`"
    );
    Fault::new(Class::Refused, words)
}
