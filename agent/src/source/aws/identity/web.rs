//! IRSA: the service account's token, exchanged at STS for a role's credentials.
#![expect(clippy::disallowed_methods, reason = "the token is read from a file, anew each time")]

use std::{fmt, fs, path::PathBuf};

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use super::{AwsEnvironment, Failure, Setup, error, no_region, session};
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
    session_name: String,
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
        let endpoint = setup.aws.sts_endpoint.as_ref().or(setup.aws.endpoint.as_ref());
        let sdk = setup.sdk(&region, endpoint).build();
        Ok(Self {
            sts: aws_sdk_sts::Client::new(&sdk),
            token_file: root.resolve(&token_file.ok_or_else(|| missing("`token-file`"))?),
            session_name: session::name(environment.pod.as_ref()),
            role_arn: role_arn.ok_or_else(|| missing("`role-arn`"))?,
            region,
        })
    }

    /// Reads the token anew, because the kubelet rotates it, and exchanges it.
    pub(super) async fn exchange(&self) -> Result<Credentials, SourceError> {
        let token = self.token()?;
        let answer = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&self.role_arn)
            .role_session_name(&self.session_name)
            .web_identity_token(token.as_str())
            .send()
            .await
            .map_err(|error| error::exchange(&Failure::from(error), &self.role_arn))
            // A server may quote what it was sent.
            .map_err(|fault| Fault::new(fault.class, fault.message.replace(token.as_str(), "…")))?;
        let none = || Fault::new(Class::Unreachable, "STS answered without credentials");
        let given = answer.credentials.ok_or_else(none)?;
        let end = given.expiration.try_into().ok();
        let (key, secret) = (given.access_key_id, given.secret_access_key);
        Ok(Credentials::new(key, secret, Some(given.session_token), end, "mayfly"))
    }

    fn token(&self) -> Result<Zeroizing<String>, SourceError> {
        let path = self.token_file.display();
        let refused = |reason: &dyn fmt::Display| {
            let words = format!("no workload identity: the token in `{path}` cannot be used");
            Fault::new(Class::Refused, format_args!("{words}: {reason}"))
        };
        let text = fs::read_to_string(&self.token_file).map_err(|error| refused(&error))?;
        let text = Zeroizing::new(text);
        let token = text.trim();
        if token.is_empty() {
            Err(refused(&"the file is empty"))
        } else {
            Ok(Zeroizing::new(token.to_owned()))
        }
    }
}

fn missing(what: &str) -> SourceError {
    let words = format!(
        "no workload identity: {what} is neither in `aws` nor in the agent's environment; annotate the \
         service account with `eks.amazonaws.com/role-arn`, or set `mayfly.dev/aws-role-arn`"
    );
    Fault::new(Class::Refused, words)
}
