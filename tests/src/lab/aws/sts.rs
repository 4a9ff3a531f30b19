//! What STS says, in its own XML. Knows nothing of who is trusted.

use std::time::{Duration, SystemTime};

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::{ACCOUNT, web_identity::STS_AUDIENCE};

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
    /// Who asks may not assume the role.
    NotAuthorized {
        /// The ARN of who asks.
        who: String,
        /// The role's ARN.
        role: String,
    },
    /// The credentials are not from here.
    InvalidClientTokenId,
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
    /// The service account that assumed the role, unless another role did.
    pub subject: Option<String>,
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
            Self::AccessDenied | Self::NotAuthorized { .. } => "AccessDenied",
            Self::InvalidClientTokenId => "InvalidClientTokenId",
            Self::Validation(_) => "ValidationError",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::AccessDenied | Self::NotAuthorized { .. } | Self::InvalidClientTokenId => {
                StatusCode::FORBIDDEN
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::InvalidIdentityToken(why) | Self::Validation(why) => why.clone(),
            Self::ExpiredToken => "Token expired".into(),
            Self::AccessDenied => "Not authorized to perform sts:AssumeRoleWithWebIdentity".into(),
            Self::NotAuthorized { who, role } => format!(
                "User: {who} is not authorized to perform: sts:AssumeRole on resource: {role}"
            ),
            Self::InvalidClientTokenId => {
                "The security token included in the request is invalid".into()
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = element("Type", "Sender")
            + &element("Code", self.code())
            + &element("Message", &self.message());
        let body = format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{error}</Error>{}</ErrorResponse>",
            request_id()
        );
        (self.status(), [(CONTENT_TYPE, "text/xml")], body).into_response()
    }
}

impl IntoResponse for Session {
    fn into_response(self) -> Response {
        let subject = self.subject.as_deref().map(|subject| {
            element("SubjectFromWebIdentityToken", subject) + &element("Audience", STS_AUDIENCE)
        });
        let action = if subject.is_some() { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
        let result = [
            subject.unwrap_or_default(),
            format!("<AssumedRoleUser>{}</AssumedRoleUser>", self.user()),
            format!("<Credentials>{}</Credentials>", self.credentials()),
        ];
        answer(action, &result.concat())
    }
}

/// Whose a session is.
#[derive(Debug)]
pub struct CallerIdentity(pub Session);

impl IntoResponse for CallerIdentity {
    fn into_response(self) -> Response {
        let Self(session) = self;
        let account = session.role.split(':').nth(4).unwrap_or(ACCOUNT);
        let result = element("Arn", &session.arn())
            + &element("UserId", &session.id())
            + &element("Account", account);
        answer("GetCallerIdentity", &result)
    }
}

fn answer(action: &str, result: &str) -> Response {
    let result = format!("<{action}Result>{result}</{action}Result>");
    let metadata = format!("<ResponseMetadata>{}</ResponseMetadata>", request_id());
    let name = format!("{action}Response");
    let body = format!("<{name} xmlns=\"{NAMESPACE}\">{result}{metadata}</{name}>");
    ([(CONTENT_TYPE, "text/xml")], body).into_response()
}

impl Session {
    /// Its ARN.
    pub fn arn(&self) -> String {
        let role = self.role.rsplit('/').next().unwrap_or_default();
        let account = self.role.split(':').nth(4).unwrap_or(ACCOUNT);
        format!("arn:aws:sts::{account}:assumed-role/{role}/{}", self.name)
    }

    /// Until when its credentials hold, if they begin now.
    pub fn expiration(&self) -> String {
        humantime::format_rfc3339_seconds(SystemTime::now() + self.lifetime).to_string()
    }

    fn id(&self) -> String {
        format!("AROALABLABLABLABLAB:{}", self.name)
    }

    fn user(&self) -> String {
        element("Arn", &self.arn()) + &element("AssumedRoleId", &self.id())
    }

    fn credentials(&self) -> String {
        element("AccessKeyId", &self.access_key)
            + &element("SecretAccessKey", &format!("{:040x}", fastrand::u128(..)))
            + &element("SessionToken", &format!("{:064x}", fastrand::u128(..)))
            + &element("Expiration", &self.expiration())
    }
}

fn request_id() -> String {
    element("RequestId", &format!("{:032x}", fastrand::u128(..)))
}

fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}
