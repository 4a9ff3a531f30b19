//! What AWS's refusals mean for a person: which action on which resource is missing, and whose.

use aws_credential_types::provider::error::CredentialsError;

use super::{
    access::Role,
    failure::{Asked, CallError, Failure, ours},
};
use crate::{
    fault::{self, Class, Fault},
    source::contract::SourceError,
};

/// What a failed read of a secret means.
pub(super) fn secret(failure: &Failure, id: &str, asked: &Asked) -> SourceError {
    let Asked { region, .. } = asked;
    let said = &failure.said;
    let (class, words) = match failure.code.as_str() {
        "ResourceNotFoundException"
            if said.contains("staging label") || said.contains("VersionId") =>
        {
            (Class::Missing, format!("the secret `{id}` in {region} has no such version: {said}"))
        }
        "ResourceNotFoundException" => (
            Class::Missing,
            format!("there is no secret `{id}` in {region}; check its name, region and account"),
        ),
        "InvalidRequestException" if is_restorable(said) => (
            Class::Missing,
            format!(
                "the secret `{id}` in {region} is marked for deletion; until then it can be restored \
                 (`aws secretsmanager restore-secret`): {said}"
            ),
        ),
        "InvalidRequestException" => {
            (Class::Missing, format!("the secret `{id}` in {region} cannot be read now: {said}"))
        }
        "DecryptionFailure" => (
            Class::Refused,
            format!("the KMS key of `{id}` cannot be used; check that it is enabled: {said}"),
        ),
        _ => return read(failure, id, asked, "Secrets Manager", "secretsmanager:GetSecretValue"),
    };
    Fault::new(class, words)
}

/// Whether the secret is only marked for deletion.
fn is_restorable(said: &str) -> bool {
    ["marked for deletion", "scheduled for deletion"].iter().any(|words| said.contains(words))
}

/// What a read of a parameter, or of a tree, without an answer means; `action` is what it needs.
pub(super) fn parameter(error: &CallError, name: &str, action: &str) -> SourceError {
    let (failure, asked) = match error {
        CallError::Identity(fault) => return fault.clone(),
        CallError::Service(failure, asked) => (failure, asked),
    };
    let Asked { region, .. } = asked;
    let said = &failure.said;
    let (class, words) = match failure.code.as_str() {
        "ParameterNotFound" | "ParameterVersionNotFound" => {
            return no_parameter(name, "", asked);
        }
        "InvalidKeyId" => (
            Class::Refused,
            format!(
                "the KMS key of the parameter `{name}` in {region} cannot be used; check that it is enabled: {said}"
            ),
        ),
        _ => return read(failure, name, asked, "the Parameter Store", action),
    };
    Fault::new(class, words)
}

/// The parameter, or this version of it, is not there.
pub(super) fn no_parameter(name: &str, version: &str, Asked { region, .. }: &Asked) -> SourceError {
    let words = format!(
        "there is no parameter `{name}`{version} in {region}; check its name, region and account"
    );
    Fault::new(Class::Missing, words)
}

/// What is alike for everything that is read.
fn read(failure: &Failure, id: &str, asked: &Asked, service: &str, action: &str) -> SourceError {
    let Asked { region, identity, .. } = asked;
    let said = &failure.said;
    let words = if failure.is_denied() && is_of_kms(failure) {
        format!(
            "{identity} may not use the KMS key of `{id}`; grant it `kms:Decrypt` on the key, in its policy and in the key's: {said}"
        )
    } else if failure.is_denied() {
        format!("{identity} may not read `{id}` in {region}; grant it `{action}` on it: {said}")
    } else if failure.is_stale() {
        format!("AWS does not take the credentials of {identity}: {said}")
    } else {
        return failure.fault(service);
    };
    Fault::new(Class::Refused, words)
}

/// Whether it is the key that may not be used, and not the secret that may not be read.
fn is_of_kms(failure: &Failure) -> bool {
    match failure.denied_action() {
        Some(action) => action.starts_with("kms:"),
        None => {
            failure.said.contains("Access to KMS") || failure.said.contains("ciphertext refers to")
        }
    }
}

/// What a failed exchange of a web identity at STS means.
pub(super) fn exchange(failure: &Failure, role: &str) -> SourceError {
    let said = &failure.said;
    let (class, words) = match failure.code.as_str() {
        "AccessDenied" | "AccessDeniedException" => (
            Class::Refused,
            format!(
                "STS refuses the role `{role}` to this service account; its trust policy must allow \
                 `sts:AssumeRoleWithWebIdentity` for the cluster's OIDC provider, namespace and service account: {said}"
            ),
        ),
        "InvalidIdentityToken" if said.contains("retrieve verification key") => (
            Class::Refused,
            format!(
                "STS could not fetch the keys that the service account's token is signed with; check that the \
                 cluster's OIDC issuer can be reached from AWS: {said}"
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
        _ => return sts(failure, role),
    };
    let fault = Fault::new(class, words).not_before(failure.retry_after());
    if is_on_its_way(failure) { fault.that_passes() } else { fault }
}

/// Whether it may only be that IAM has not heard everywhere yet of a role, a policy or a provider
/// that is seconds old, or that STS could not fetch a key now.
fn is_on_its_way(failure: &Failure) -> bool {
    let words = ["retrieve verification key", "No OpenIDConnect provider found"];
    let is_of_provider = words.iter().any(|words| failure.said.contains(words));
    failure.is_denied() || failure.code == "InvalidIdentityToken" && is_of_provider
}

/// What a refused role means to who wanted to assume it.
pub(super) fn assume(
    failure: &Failure,
    Role { arn, external_id }: &Role,
    over: &str,
) -> SourceError {
    let said = &failure.said;
    let (class, words) = match failure.code.as_str() {
        "AccessDenied" | "AccessDeniedException" => {
            let external_id = match external_id {
                Some(_) => "and this `external-id`",
                None => "and no `external-id`, or this reference must have it",
            };
            (
                Class::Refused,
                format!(
                    "{over} may not assume the role `{arn}`; grant it `sts:AssumeRole` on the role, and let the role's \
                     trust policy name it ({external_id}; over EKS Pod Identity both with `sts:TagSession`): {said}"
                ),
            )
        }
        "PackedPolicyTooLarge" | "PackedPolicyTooLargeException" => (
            Class::Refused,
            format!(
                "STS cannot give the role `{arn}`: the session tags of EKS Pod Identity are too long together; switch \
                 them off in the association (`--disable-session-tags`): {said}"
            ),
        ),
        _ if failure.is_stale() => {
            (Class::Refused, format!("STS does not take the credentials of {over}: {said}"))
        }
        _ => return sts(failure, arn),
    };
    let fault = Fault::new(class, words).not_before(failure.retry_after());
    if is_on_its_way(failure) { fault.that_passes() } else { fault }
}

/// What is alike for both ways to a role.
fn sts(failure: &Failure, role: &str) -> SourceError {
    let said = &failure.said;
    match failure.code.as_str() {
        "ValidationError" | "MalformedPolicyDocument" | "RegionDisabledException" => Fault::new(
            Class::Configuration,
            format_args!("STS cannot give the role `{role}`: {said}"),
        ),
        _ => failure.fault("STS"),
    }
}

/// What a usual chain without credentials means.
pub(super) fn chain(error: &CredentialsError) -> SourceError {
    let transport = ours(error);
    let class = match error {
        CredentialsError::ProviderTimedOut(_) => Class::Unreachable,
        _ if transport.is_some() => Class::Unreachable,
        _ => Class::Refused,
    };
    let reason = transport.map_or_else(|| last_causes(error), ToString::to_string);
    Fault::new(class, format_args!("{}: {reason}", no_chain()))
}

/// The last cause and what it kept from happening: by itself it may be no more than a missing file.
fn last_causes(error: &CredentialsError) -> String {
    let mut causes: Vec<String> = fault::causes(error).map(ToString::to_string).collect();
    causes.drain(..causes.len().saturating_sub(2));
    fault::quoted(&causes.join(": "))
}

/// The usual chain has nothing.
pub(super) fn no_chain() -> SourceError {
    let words =
        "the usual AWS chain has no credentials; set `AWS_PROFILE` or log in, as for the AWS CLI";
    Fault::new(Class::Refused, words)
}
