//! A call that failed, whatever the service: the only place that looks into the SDK's errors.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::{
    date_time::{DateTime, Format},
    error::metadata::ProvideErrorMetadata,
};

use crate::{
    fault::{self, Class, Fault, quoted},
    http::{TransportError, retry_after},
    source::contract::SourceError,
};

/// A call without an answer.
#[derive(Debug)]
pub(super) enum CallError {
    /// There are no credentials for it, or no region.
    Identity(SourceError),
    /// The service, or the way to it.
    Service(Failure, Asked),
}

impl CallError {
    /// Whether it looks as if the whole region were down.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self, Self::Service(failure, _) if failure.is_outage())
    }
}

/// What a message says about a call: where, and by whom.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) region: String,
    pub(super) identity: String,
    /// Whether the region stands in for another one.
    pub(super) stands_in: bool,
}

/// What is left of an SDK's error: nothing of it holds an answer's body.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure {
    /// The code that clients decide by; empty if there is none.
    pub(super) code: String,
    /// Code and message, on one line.
    pub(super) said: String,
    /// The HTTP status; 0 without an answer.
    status: u16,
    /// Why there was no answer.
    transport: String,
    /// Whether it was sent at all.
    sent: bool,
    /// What time it was where the answer came from.
    date: Option<SystemTime>,
    /// How long not to ask again.
    retry_after: Option<Duration>,
}

/// Credentials that were good once: new ones may help at once.
const STALE: [&str; 6] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "RequestExpired",
    "UnrecognizedClientException",
];
/// AWS answers a throttled call with HTTP 400.
const THROTTLED: [&str; 13] = [
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];
const CLOCK: [&str; 4] = [
    "InvalidSignatureException",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];
/// Faults of the service, which some services answer with HTTP 400.
const INTERNAL: [&str; 6] = [
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "InternalServiceErrorException",
    "RequestTimeoutException",
    "ServiceUnavailable",
];

impl Failure {
    /// A failure of one item inside an answer.
    pub(super) fn of_item(code: Option<&str>, message: Option<&str>) -> Self {
        let code = code.unwrap_or_default().to_owned();
        let said = said(&code, message);
        Self { code, said, status: 400, sent: true, ..Self::default() }
    }

    /// The answer has the right shape and says nothing.
    pub(super) fn hollow() -> Self {
        let transport = "the answer says nothing of what was asked for".to_owned();
        Self { transport, sent: true, ..Self::default() }
    }

    /// Whether AWS no longer takes the credentials.
    pub(super) fn is_stale(&self) -> bool {
        STALE.contains(&self.code.as_str())
    }

    /// Whether there were too many calls.
    pub(super) fn is_throttled(&self) -> bool {
        THROTTLED.contains(&self.code.as_str())
    }

    /// Whether the service failed, not the request.
    pub(super) fn is_internal(&self) -> bool {
        INTERNAL.contains(&self.code.as_str()) || self.status >= 500 && !self.is_throttled()
    }

    /// Whether it looks as if the whole region were down.
    pub(super) fn is_outage(&self) -> bool {
        self.sent && self.status == 0 || self.is_internal()
    }

    /// What time it is for AWS, if that may be why it does not take the signature.
    pub(super) fn their_time(&self) -> Option<SystemTime> {
        self.date.filter(|_| CLOCK.contains(&self.code.as_str()))
    }

    /// How long not to ask again.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether somebody was told that they may not.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self.code.as_str(), "AccessDenied" | "AccessDeniedException")
    }

    /// The action that is not allowed, if AWS names it: `kms:Decrypt`.
    pub(super) fn denied_action(&self) -> Option<&str> {
        let (_, rest) = self.said.split_once("not authorized to perform: ")?;
        rest.split_whitespace().next().filter(|action| action.contains(':'))
    }

    /// What it means where no room knows better.
    pub(super) fn fault(&self, service: &str) -> SourceError {
        let Self { code, said, status, transport, sent, .. } = self;
        let (class, words) = match status {
            0 if *sent => (Class::Unreachable, format!("{service} cannot be reached: {transport}")),
            0 => (Class::Configuration, format!("{service} cannot be asked: {transport}")),
            _ if self.is_throttled() => {
                (Class::Throttled, format!("{service} asks for fewer calls: {said}"))
            }
            _ if CLOCK.contains(&code.as_str()) => (
                Class::Refused,
                format!(
                    "{service} does not take the signature; check this machine's clock: {said}"
                ),
            ),
            _ if INTERNAL.contains(&code.as_str()) => {
                (Class::Unreachable, format!("{service} failed: {said}"))
            }
            401 | 403 if !code.is_empty() => (Class::Refused, format!("{service} refuses: {said}")),
            400 | 404 if !code.is_empty() => {
                (Class::Configuration, format!("{service} does not take the request: {said}"))
            }
            _ => {
                (Class::Unreachable, format!("{service} answered with HTTP status {status} {said}"))
            }
        };
        Fault::new(class, words).not_before(self.retry_after)
    }
}

impl<E: ProvideErrorMetadata + Error + 'static> From<SdkError<E, HttpResponse>> for Failure {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let response = error.raw_response();
        let status = response.map_or(0, |response| response.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let said = said(&code, error.message());
        let sent = !matches!(error, SdkError::ConstructionFailure(_));
        let of_response =
            |response: &HttpResponse| retry_after(|name| response.headers().get(name));
        let retry_after = response.and_then(of_response).or_else(|| stranger_asks(&error));
        let (date, transport) = (response.and_then(date), transport(&error));
        Self { code, said, status, transport, sent, date, retry_after }
    }
}

fn date(response: &HttpResponse) -> Option<SystemTime> {
    let date = DateTime::from_str(response.headers().get("date")?, Format::HttpDate).ok()?;
    date.try_into().ok()
}

/// The service's own words, on one line.
fn said(code: &str, message: Option<&str>) -> String {
    match message.map(unquoting) {
        Some(message) if !code.is_empty() => quoted(&format!("{code}: {message}")),
        _ => quoted(code),
    }
}

/// The words before the request as AWS would have signed it: that holds the session's token.
fn unquoting(message: &str) -> &str {
    message.split("The Canonical String").next().unwrap_or_default()
}

/// The transport's words, which the SDK carries inside.
fn transport(error: &(dyn Error + 'static)) -> String {
    ours(error).map_or_else(|| fault::innermost(error), ToString::to_string)
}

/// The transport's own error.
pub(super) fn ours<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TransportError> {
    fault::causes(error).find_map(|cause| cause.downcast_ref())
}

fn stranger_asks(error: &(dyn Error + 'static)) -> Option<Duration> {
    match ours(error) {
        Some(TransportError::Stranger { stranger, .. }) => stranger.retry_after,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::{body::SdkBody, error::metadata::ErrorMetadata};
    use zeroize::Zeroizing;

    use super::*;
    use crate::http::Stranger;

    #[test]
    fn how_long_not_to_ask_again_is_heard_of_the_service_and_of_strangers() {
        let status = 503.try_into().expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::empty());
        response.headers_mut().insert("retry-after", "7");
        let code = ErrorMetadata::builder().code("ThrottlingException").build();
        let error = GetCallerIdentityError::generic(code);
        let fault = Failure::from(SdkError::service_error(error, response)).fault("STS");
        assert_eq!(
            (fault.class, fault.retry_after),
            (Class::Throttled, Some(Duration::from_secs(7)))
        );

        let mut page = http::Response::new(Zeroizing::new(b"<html>Busy</html>".to_vec()));
        *page.status_mut() = http::StatusCode::FORBIDDEN;
        page.headers_mut().insert("retry-after", "8".parse().expect("a header"));
        let (host, stranger) = ("https://sts".to_owned(), Stranger::of(&page));
        let error = ConnectorError::io(TransportError::Stranger { host, stranger }.into());
        let error = SdkError::<GetCallerIdentityError, _>::dispatch_failure(error);
        let fault = Failure::from(error).fault("STS");
        assert_eq!(
            (fault.class, fault.retry_after),
            (Class::Unreachable, Some(Duration::from_secs(8)))
        );
        assert_eq!(
            fault.message,
            "STS cannot be reached: something else answers at https://sts: HTTP status 403, `Busy`"
        );
    }

    #[test]
    fn a_request_that_aws_repeats_is_not_repeated_again() {
        let message = "The request signature we calculated does not match the signature you provided. Check your key.\n\n\
                       The Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:canary'";
        let failure = Failure::of_item(Some("SignatureDoesNotMatch"), Some(message));
        assert_eq!(
            failure.said,
            "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key."
        );
    }
}
