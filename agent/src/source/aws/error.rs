//! What AWS's errors mean for a person. The only place that looks into the SDK's error types.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::{
    fault::{self, Class, Fault, quoted},
    http::TransportError,
    source::SourceError,
};

/// An error of `GetSecretValue`.
pub(super) type ReadError = SdkError<GetSecretValueError, HttpResponse>;

/// What was asked for, and by whom.
pub(super) struct Asked<'a> {
    pub(super) id: &'a str,
    pub(super) region: &'a str,
    pub(super) identity: &'a str,
}

/// Credentials that were good once: new ones may help at once.
const STALE: [&str; 6] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "RequestExpired",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
];
/// AWS answers a throttled call with HTTP 400.
const THROTTLED: [&str; 10] = [
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
];
const CLOCK: [&str; 4] = [
    "InvalidSignatureException",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "RequestInTheFuture",
];

/// Whether AWS no longer takes the credentials.
pub(super) fn is_stale(error: &ReadError) -> bool {
    error.code().is_some_and(|code| STALE.contains(&code))
}

/// What a failed `GetSecretValue` means.
pub(super) fn read(error: &ReadError, asked: &Asked<'_>) -> SourceError {
    let Asked { id, region, identity } = asked;
    let said = said(error);
    let (class, words) = match error.code().unwrap_or_default() {
        "ResourceNotFoundException"
            if said.contains("staging label") || said.contains("VersionId") =>
        {
            (Class::Missing, format!("the secret `{id}` in {region} has no such version: {said}"))
        }
        "ResourceNotFoundException" => (
            Class::Missing,
            format!("there is no secret `{id}` in {region}; check its name, region and account"),
        ),
        "InvalidRequestException" => {
            (Class::Missing, format!("the secret `{id}` in {region} cannot be read now: {said}"))
        }
        "AccessDeniedException" | "AccessDenied" if said.contains("kms:") => (
            Class::Refused,
            format!(
                "{identity} may not use the KMS key of `{id}`; grant it `kms:Decrypt` on the key: {said}"
            ),
        ),
        "AccessDeniedException" | "AccessDenied" => (
            Class::Refused,
            format!(
                "{identity} may not read `{id}` in {region}; grant it `secretsmanager:GetSecretValue` on the secret: {said}"
            ),
        ),
        "DecryptionFailure" => (
            Class::Refused,
            format!("the KMS key of `{id}` cannot be used; check that it is enabled: {said}"),
        ),
        code if STALE.contains(&code) => {
            (Class::Refused, format!("AWS does not take the credentials of {identity}: {said}"))
        }
        _ => return common(error, "Secrets Manager"),
    };
    Fault::new(class, words)
}

/// What a failed exchange at STS means.
pub(super) fn exchange(
    error: &SdkError<AssumeRoleWithWebIdentityError, HttpResponse>,
    role: &str,
) -> SourceError {
    let said = said(error);
    let (class, words) = match error.code().unwrap_or_default() {
        "AccessDenied" | "AccessDeniedException" => (
            Class::Refused,
            format!(
                "STS refuses the role `{role}` to this service account; its trust policy must allow \
                 `sts:AssumeRoleWithWebIdentity` for the cluster's OIDC provider, namespace and service account: {said}"
            ),
        ),
        "ExpiredTokenException" | "ExpiredToken" | "IDPCommunicationError" => (
            Class::Unreachable,
            format!("STS cannot check the service account's token now: {said}"),
        ),
        "InvalidIdentityToken" | "IDPRejectedClaim" => (
            Class::Refused,
            format!(
                "STS does not know the service account's token; check the cluster's OIDC provider in IAM: {said}"
            ),
        ),
        "ValidationError" | "MalformedPolicyDocument" | "RegionDisabledException" => {
            (Class::Configuration, format!("STS cannot give the role `{role}`: {said}"))
        }
        _ => return common(error, "STS"),
    };
    Fault::new(class, words)
}

/// What a usual chain without credentials means.
pub(super) fn chain(error: &CredentialsError) -> SourceError {
    let class = match error {
        CredentialsError::ProviderTimedOut(_) => Class::Unreachable,
        _ => Class::Refused,
    };
    Fault::new(class, format_args!("{}: {}", no_chain(), fault::innermost(error)))
}

/// The usual chain has nothing.
pub(super) fn no_chain() -> SourceError {
    let words =
        "the usual AWS chain has no credentials; set `AWS_PROFILE` or log in, as for the AWS CLI";
    Fault::new(Class::Refused, words)
}

/// What is alike for every service.
fn common<E>(error: &SdkError<E, HttpResponse>, service: &str) -> SourceError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let said = said(error);
    let code = error.code().unwrap_or_default();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let (class, words) = match status {
        0 => (Class::Unreachable, format!("{service} cannot be reached: {}", transport(error))),
        _ if THROTTLED.contains(&code) => {
            (Class::Unreachable, format!("{service} asks for fewer calls: {said}"))
        }
        _ if CLOCK.contains(&code) => (
            Class::Refused,
            format!("{service} does not take the signature; check this machine's clock: {said}"),
        ),
        401 | 403 => (Class::Refused, format!("{service} refuses: {said}")),
        400 | 404 if !code.is_empty() => {
            (Class::Configuration, format!("{service} does not take the request: {said}"))
        }
        _ => (Class::Unreachable, format!("{service} answered with HTTP status {status} {said}")),
    };
    Fault::new(class, words)
}

/// The service's own words, on one line.
fn said<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => quoted(&format!("{code}: {message}")),
        (Some(code), None) => quoted(code),
        _ => String::new(),
    }
}

/// The transport's words, which the SDK carries inside.
fn transport(error: &(dyn Error + 'static)) -> String {
    let ours = fault::causes(error).find_map(|cause| cause.downcast_ref::<TransportError>());
    ours.map_or_else(|| fault::innermost(error), ToString::to_string)
}
