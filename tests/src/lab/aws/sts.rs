//! What STS says, in its own XML. Knows nothing of who is trusted.

use std::time::{Duration, SystemTime};

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::{ACCOUNT, web_identity::AUDIENCE};

/// The namespace of STS's answers.
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Why STS hands out no credentials.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The token is not from here, not for AWS, or was tampered with.
    InvalidIdentityToken(String),
    /// The token was good once.
    ExpiredToken,
    /// The token is good, but the role is not for its bearer.
    AccessDenied,
    /// The request lacks a parameter.
    Validation(String),
}

/// Credentials for a session of a role.
#[derive(Debug, Clone)]
pub struct Session {
    /// The role's ARN.
    pub role: String,
    /// The session's name.
    pub name: String,
    /// Who assumed the role.
    pub subject: String,
    /// The public half of the credentials.
    pub access_key: String,
    /// How long they hold.
    pub lifetime: Duration,
}

impl Refusal {
    /// The code, by which clients know what is the matter.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidIdentityToken(_) => "InvalidIdentityToken",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::AccessDenied => "AccessDenied",
            Self::Validation(_) => "ValidationError",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::AccessDenied => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::InvalidIdentityToken(why) | Self::Validation(why) => why,
            Self::ExpiredToken => "Token expired",
            Self::AccessDenied => "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = element("Type", "Sender")
            + &element("Code", self.code())
            + &element("Message", self.message());
        let body = format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{error}</Error>{}</ErrorResponse>",
            request_id()
        );
        (self.status(), [(CONTENT_TYPE, "text/xml")], body).into_response()
    }
}

impl IntoResponse for Session {
    fn into_response(self) -> Response {
        let result = [
            element("SubjectFromWebIdentityToken", &self.subject),
            element("Audience", AUDIENCE),
            format!("<AssumedRoleUser>{}</AssumedRoleUser>", self.user()),
            format!("<Credentials>{}</Credentials>", self.credentials()),
        ];
        let result = format!(
            "<AssumeRoleWithWebIdentityResult>{}</AssumeRoleWithWebIdentityResult>",
            result.concat()
        );
        let name = "AssumeRoleWithWebIdentityResponse";
        let metadata = format!("<ResponseMetadata>{}</ResponseMetadata>", request_id());
        let body = format!("<{name} xmlns=\"{NAMESPACE}\">{result}{metadata}</{name}>");
        ([(CONTENT_TYPE, "text/xml")], body).into_response()
    }
}

impl Session {
    fn user(&self) -> String {
        let role = self.role.rsplit('/').next().unwrap_or_default();
        let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{}", self.name);
        element("Arn", &arn)
            + &element("AssumedRoleId", &format!("AROALABLABLABLABLAB:{}", self.name))
    }

    fn credentials(&self) -> String {
        let expiration =
            humantime::format_rfc3339_seconds(SystemTime::now() + self.lifetime).to_string();
        element("AccessKeyId", &self.access_key)
            + &element("SecretAccessKey", &format!("{:040x}", fastrand::u128(..)))
            + &element("SessionToken", &format!("{:064x}", fastrand::u128(..)))
            + &element("Expiration", &expiration)
    }
}

fn request_id() -> String {
    element("RequestId", &format!("{:032x}", fastrand::u128(..)))
}

fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}
