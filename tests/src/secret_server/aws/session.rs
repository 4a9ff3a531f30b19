//! Who may ask: access keys, and the sessions that STS has given.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{Aws, AwsError};
use crate::secret_server::{Request, identifier::alphanumeric};

/// An access key, with a session token if it came from STS.
#[derive(Clone)]
pub struct AccessKey {
    /// `AKIA…` or `ASIA…`.
    pub id: String,
    /// The key that signs.
    pub secret: String,
    /// What a request with a temporary key carries beside its signature.
    pub token: Option<String>,
    /// Whose it is.
    pub principal: String,
    expired: bool,
}

/// One exchange of a web identity, or of another role's session, for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The role that was assumed.
    pub role_arn: String,
    /// `RoleSessionName`: what CloudTrail shows.
    pub name: String,
    /// `ExternalId`, if one was sent.
    pub external_id: Option<String>,
    /// The access key that was given.
    pub access_key: String,
}

impl AccessKey {
    pub(super) fn long_lived() -> Self {
        Self::new("AKIA", None, format!("arn:aws:iam::{}:user/developer", super::ACCOUNT))
    }

    pub(super) fn temporary(principal: String) -> Self {
        Self::new("ASIA", Some(alphanumeric(356)), principal)
    }

    fn new(prefix: &str, token: Option<String>, principal: String) -> Self {
        let id = format!("{prefix}{}", alphanumeric(16).to_uppercase());
        Self { id, secret: alphanumeric(40), token, principal, expired: false }
    }

    pub(super) fn is_expired(&self) -> bool {
        self.expired
    }

    /// Only what is temporary ends.
    pub(super) fn expire(&mut self) {
        self.expired = self.token.is_some();
    }
}

/// The id only.
impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AccessKey").field(&self.id).finish()
    }
}

impl Aws {
    /// The key that signed a request to `service`, if it is still good.
    pub(super) fn signer(&self, request: &Request, service: &str) -> Result<&AccessKey, AwsError> {
        let [id, _region, signed] = request.signed_for().ok_or_else(|| {
            let code = "MissingAuthenticationTokenException";
            AwsError::new(400, code, "Missing Authentication Token")
        })?;
        if signed != service {
            let text = format!("Credential should be scoped to correct service: '{service}'. ");
            return Err(AwsError::new(400, "InvalidSignatureException", text));
        }
        self.check_clock(request)?;
        let key = self.keys.get(id);
        match key.filter(|key| key.token.as_deref() == request.header("x-amz-security-token")) {
            Some(key) if key.expired => Err(AwsError::expired_token()),
            Some(key) => Ok(key),
            None => Err(unrecognized()),
        }
    }
}

/// How far a signature may be off.
const TOLERANCE: Duration = Duration::from_mins(5);

impl Aws {
    /// A signature is of the present; who signs by hand need not say when.
    fn check_clock(&self, request: &Request) -> Result<(), AwsError> {
        let Some(signed) = request.header("x-amz-date").and_then(signed_at) else { return Ok(()) };
        let now = self.now();
        let off = now.duration_since(signed).unwrap_or_else(|error| error.duration());
        if off <= TOLERANCE {
            return Ok(());
        }
        let text = "Signature expired: it is not within 5 minutes of the server's time";
        Err(AwsError::new(400, "InvalidSignatureException", text))
    }
}

/// `20260131T235959Z`.
fn signed_at(date: &str) -> Option<SystemTime> {
    let part = |at: std::ops::Range<usize>| date.get(at);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(9..11)?, part(11..13)?, part(13..15)?);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    humantime::parse_rfc3339(&text).ok()
}

fn unrecognized() -> AwsError {
    let text = "The security token included in the request is invalid.";
    AwsError::new(400, "UnrecognizedClientException", text)
}
