//! STS: a web identity, or another session, goes in, a session comes out. Query protocol: form in, XML out.

use std::time::{Duration, SystemTime};

use super::{Aws, AwsError, Session, error::escape, session::AccessKey};
use crate::{
    secret_server::{Request, identifier::uuid, reply::Reply},
    signature::Signed,
};

/// What STS gives unless asked for something else.
pub(super) const DEFAULT_DURATION: Duration = Duration::from_hours(1);

impl Aws {
    /// Answers a request to STS.
    pub(in crate::secret_server) fn sts(&mut self, request: &Request) -> Reply {
        let answer = match request.form("Action").as_deref() {
            Some("AssumeRoleWithWebIdentity") => self.assume_with_web_identity(request),
            Some("AssumeRole") => self.assume(request),
            Some("GetCallerIdentity") => self.identify(request),
            other => Err(invalid_action(other.unwrap_or_default())),
        };
        match answer {
            Ok(body) => Reply::text(200, "text/xml", body),
            Err(error) => error.xml(),
        }
    }

    fn assume_with_web_identity(&mut self, request: &Request) -> Result<String, AwsError> {
        let role_arn = required(request, "RoleArn")?;
        let name = session_name(request)?;
        self.verify(&role_arn, &required(request, "WebIdentityToken")?)?;
        let duration = self.duration(request)?;
        let key = AccessKey::temporary(principal(&role_arn, &name));
        let body = rendered("AssumeRoleWithWebIdentity", &key, self.now() + duration);
        self.open(Session { role_arn, name, external_id: None, access_key: key.id.clone() }, key);
        Ok(body)
    }

    fn assume(&mut self, request: &Request) -> Result<String, AwsError> {
        let role_arn = required(request, "RoleArn")?;
        let name = session_name(request)?;
        let external_id = request.form("ExternalId");
        let who = self.signer(request, "sts")?;
        let over = self.sessions.iter().find(|session| session.access_key == who.id);
        let trusted = self.guests.get(&role_arn).is_some_and(|guest| {
            over.is_some_and(|session| session.role_arn == guest.over)
                && guest.external_id == external_id
        });
        if !trusted {
            let denied = AwsError::denied(&who.principal, "sts:AssumeRole", &role_arn);
            return Err(AwsError::new(403, "AccessDenied", denied.message));
        }
        let key = AccessKey::temporary(principal(&role_arn, &name));
        let body = rendered("AssumeRole", &key, self.now() + self.duration(request)?);
        self.open(Session { role_arn, name, external_id, access_key: key.id.clone() }, key);
        Ok(body)
    }

    /// Who signed the request: for Vault, which passes on what it was shown.
    fn identify(&self, request: &Request) -> Result<String, AwsError> {
        let headers: Vec<(String, String)> = request
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let (method, path) = (request.method.as_str(), request.path.as_str());
        let signed = Signed { method, path, headers: &headers, body: &request.body };
        let arn = self.caller(&signed, signed.region().unwrap_or_default());
        let arn = arn.map_err(|text| AwsError::new(403, "SignatureDoesNotMatch", text))?;
        Ok(format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n\
             <GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AROA3XFRBF535EXAMPLE1:session</UserId>\
             <Account>{account}</Account></GetCallerIdentityResult>\n\
             <ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata>\n\
             </GetCallerIdentityResponse>\n",
            account = arn.split(':').nth(4).unwrap_or_default(),
            request = uuid(),
        ))
    }

    /// From 15 minutes to 12 hours.
    fn duration(&self, request: &Request) -> Result<Duration, AwsError> {
        let Some(text) = request.form("DurationSeconds") else { return Ok(self.session_length) };
        let seconds = text.parse().ok().filter(|seconds| (900..=43200).contains(seconds));
        seconds.map(Duration::from_secs).ok_or_else(|| {
            AwsError::new(400, "ValidationError", format!("Invalid DurationSeconds: {text}"))
        })
    }

    fn open(&mut self, session: Session, key: AccessKey) {
        self.sessions.push(session);
        self.keys.insert(key.id.clone(), key);
    }

    fn verify(&self, role_arn: &str, token: &str) -> Result<(), AwsError> {
        let is = |(role, trusted): &(String, String)| (role == role_arn, trusted == token);
        if self.expired.contains(token) {
            let text = "Token expired: current date/time must be before the expiration date/time";
            Err(AwsError::new(400, "ExpiredTokenException", text))
        } else if self.trust.iter().any(|trust| is(trust) == (true, true)) {
            Ok(())
        } else if self.trust.iter().any(|trust| is(trust).1) {
            let text = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
            Err(AwsError::new(403, "AccessDenied", text))
        } else {
            let text = "Couldn't retrieve verification key from your identity provider,  please \
                        reference AssumeRoleWithWebIdentity documentation for requirements";
            Err(AwsError::new(400, "InvalidIdentityToken", text))
        }
    }
}

fn invalid_action(action: &str) -> AwsError {
    let text = format!("Could not find operation {action} for version 2011-06-15");
    AwsError::new(400, "InvalidAction", text)
}

fn required(request: &Request, field: &str) -> Result<String, AwsError> {
    request.form(field).ok_or_else(|| {
        AwsError::new(
            400,
            "ValidationError",
            format!("1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"),
        )
    })
}

/// From 2 to 64 characters of a small alphabet.
fn session_name(request: &Request) -> Result<String, AwsError> {
    let name = required(request, "RoleSessionName")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (2..=64).contains(&name.len()) && name.chars().all(allowed) {
        Ok(name)
    } else {
        let text = format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint"
        );
        Err(AwsError::new(400, "ValidationError", text))
    }
}

pub(super) fn principal(role_arn: &str, session: &str) -> String {
    let role = role_arn.rsplit_once('/').map_or(role_arn, |(_, role)| role);
    let account = role_arn.split(':').nth(4).unwrap_or(super::ACCOUNT);
    format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
}

fn rendered(action: &str, key: &AccessKey, end: SystemTime) -> String {
    let session = key.principal.rsplit_once('/').map_or("", |(_, name)| name);
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n\
         <{action}Result>\n\
         <Audience>sts.amazonaws.com</Audience>\n\
         <AssumedRoleUser><AssumedRoleId>AROA3XFRBF535EXAMPLE1:{session}</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>\n\
         <Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{expiration}</Expiration></Credentials>\n\
         </{action}Result>\n\
         <ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata>\n\
         </{action}Response>\n",
        arn = escape(&key.principal),
        id = key.id,
        secret = key.secret,
        token = key.token.as_deref().unwrap_or_default(),
        expiration = humantime::format_rfc3339_seconds(end),
        request = uuid(),
    )
}
