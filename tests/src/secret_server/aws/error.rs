//! The errors of AWS, in the two protocols that are spoken here.

use serde_json::json;

use crate::secret_server::{identifier::uuid, reply::Reply};

/// What Secrets Manager and the Parameter Store call JSON.
pub(super) const AMZ_JSON: &str = "application/x-amz-json-1.1";

/// One error: status, code, message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status.
    pub status: u16,
    /// The code that clients decide by.
    pub code: &'static str,
    /// The text for people.
    pub message: String,
}

impl AwsError {
    /// Any error.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// Too many calls. HTTP 400, as AWS has it.
    pub fn throttling() -> Self {
        Self::new(400, "ThrottlingException", "Rate exceeded")
    }

    /// The session's time is over.
    pub fn expired_token() -> Self {
        Self::new(
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )
    }

    /// Something inside AWS.
    pub fn internal() -> Self {
        Self::new(500, "InternalServiceError", "An error occurred on the server side.")
    }

    /// The secret's key cannot be used.
    pub fn decryption() -> Self {
        Self::new(
            400,
            "DecryptionFailure",
            "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
        )
    }

    /// Who asks may not do that.
    pub(super) fn denied(principal: &str, action: &str, resource: &str) -> Self {
        let text = format!(
            "User: {principal} is not authorized to perform: {action} on resource: {resource} \
             because no identity-based policy allows the {action} action"
        );
        Self::new(400, "AccessDeniedException", text)
    }

    /// The secret is not there.
    pub fn no_secret() -> Self {
        Self::not_found("Secrets Manager can't find the specified secret.")
    }

    /// The secret, or this version of it, is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceNotFoundException", message)
    }

    /// The request as such is wrong.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// The secret's state forbids it.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequestException", message)
    }

    /// Secrets Manager's shape.
    pub(in crate::secret_server) fn json(&self) -> Reply {
        let body = json!({"__type": self.code, "Message": self.message});
        Reply::json(self.status, AMZ_JSON, &body)
    }

    /// The shape of the agent of EKS Pod Identity.
    pub(in crate::secret_server) fn text(&self) -> Reply {
        let body = format!("[{}]: ({}): {}", uuid(), self.code, self.message);
        Reply::text(self.status, "text/plain; charset=utf-8", body)
    }

    /// STS's shape.
    pub(in crate::secret_server) fn xml(&self) -> Reply {
        let Self { status, code, message } = self;
        let side = if *status < 500 { "Sender" } else { "Receiver" };
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    \
             <Type>{side}</Type>\n    <Code>{code}</Code>\n    <Message>{}</Message>\n  </Error>\n  \
             <RequestId>{}</RequestId>\n</ErrorResponse>\n",
            escape(message),
            uuid(),
        );
        Reply::text(*status, "text/xml", body)
    }
}

/// Text as XML's.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
