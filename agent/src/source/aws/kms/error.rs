//! What KMS's refusals mean for a person.

use mayfly_spec::{
    reference::{Arn, SealedHeader, Wrapping},
    spec::Workload,
};

use crate::{
    fault::{Class, Fault},
    source::{
        aws::failure::{Asked, Failure},
        contract::SourceError,
    },
};

/// Nobody has said for whom values are opened.
pub(super) fn nobody() -> SourceError {
    let words = "a `kms:` reference is sealed for a namespace and a service account, and neither is known; \
                 set `pod: {namespace: …, service-account: …}`";
    Fault::new(Class::Configuration, words)
}

/// The value, or for whom it is, is not what was sealed.
pub(super) fn altered(header: &SealedHeader, workload: &Workload) -> SourceError {
    let words = format!(
        "the value does not open for {}: it was sealed for another namespace or service account, or with another \
         key than `{}`, or it was altered; seal it again with `mayfly-agent seal`",
        called(workload),
        header.key()
    );
    Fault::new(Class::Refused, words)
}

/// What a failed unwrapping means.
pub(super) fn unwrap(
    failure: &Failure,
    header: &SealedHeader,
    workload: &Workload,
    asked: &Asked,
) -> SourceError {
    match failure.code.as_str() {
        "InvalidCiphertextException" | "IncorrectKeyException" => altered(header, workload),
        _ if failure.is_denied() => {
            let condition = match header.wrapping() {
                Wrapping::Symmetric => {
                    format!(" with the encryption context of {}", called(workload))
                }
                Wrapping::RsaOaepSha256 => String::new(),
            };
            denied(failure, header.key(), asked, "kms:Decrypt", &condition)
        }
        _ => key(failure, header.key(), asked),
    }
}

/// What a failed attempt to make a data key means.
pub(super) fn generate(failure: &Failure, arn: &Arn, asked: &Asked) -> SourceError {
    if failure.is_denied() {
        return denied(failure, arn, asked, "kms:GenerateDataKey", "");
    }
    key(failure, arn, asked)
}

/// The answer was none.
pub(super) fn no_data_key(key: &Arn) -> SourceError {
    Fault::new(Class::Unreachable, format_args!("KMS answered without a data key of `{key}`"))
}

fn denied(
    failure: &Failure,
    key: &Arn,
    Asked { identity, .. }: &Asked,
    action: &str,
    condition: &str,
) -> SourceError {
    let words = format!(
        "{identity} may not use the key `{key}`{condition}; grant it `{action}` on the key, in its policy or in the key's: {}",
        failure.said
    );
    Fault::new(Class::Refused, words)
}

/// What is wrong with the key, or with whoever asks.
fn key(failure: &Failure, key: &Arn, Asked { region, identity, .. }: &Asked) -> SourceError {
    let said = &failure.said;
    let (class, words) = match failure.code.as_str() {
        "NotFoundException" => {
            (Class::Missing, format!("there is no key `{key}` in {region}: {said}"))
        }
        "DisabledException" | "KMSInvalidStateException" => (
            Class::Refused,
            format!("the key `{key}` cannot be used; enable it, or cancel its deletion: {said}"),
        ),
        "InvalidKeyUsageException" | "UnsupportedOperationException" => (
            Class::Configuration,
            format!(
                "the key `{key}` is not for this; values are sealed with a symmetric key, or offline with \
                     the public half of a pair of RSA keys, whose usage is `ENCRYPT_DECRYPT`: {said}"
            ),
        ),
        _ if failure.is_stale() => {
            (Class::Refused, format!("AWS does not take the credentials of {identity}: {said}"))
        }
        _ => return failure.fault("KMS"),
    };
    Fault::new(class, words)
}

fn called(Workload { namespace, service_account }: &Workload) -> String {
    format!("the namespace `{namespace}` and the service account `{service_account}`")
}
