//! `GetCallerIdentity`, as STS answers it when Vault passes a signed request on.

use super::Aws;
use crate::signature::Signed;

impl Aws {
    /// The ARN of whoever signed a request to STS in `region`; or STS's error, which quotes what it
    /// was sent.
    pub(in crate::secret_server) fn caller(
        &self,
        signed: &Signed<'_>,
        region: &str,
    ) -> Result<String, String> {
        let error = |code: &str, text: &str| {
            format!(
                "<ErrorResponse><Error><Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>"
            )
        };
        let action = std::str::from_utf8(signed.body).unwrap_or_default();
        if (signed.method, action) != ("POST", "Action=GetCallerIdentity&Version=2011-06-15") {
            return Err(error("InvalidAction", "not GetCallerIdentity"));
        }
        if signed.region() != Some(region) {
            return Err(error(
                "SignatureDoesNotMatch",
                &format!(
                    "Credential should be scoped to a valid region, not '{:?}'.",
                    signed.region()
                ),
            ));
        }
        let key = signed.access_key().and_then(|id| self.keys.get(id));
        let token = signed.header("x-amz-security-token");
        let Some(key) = key.filter(|key| key.token.as_deref() == token) else {
            return Err(error("InvalidClientTokenId", "The security token is invalid"));
        };
        if key.is_expired() {
            return Err(error(
                "ExpiredToken",
                "The security token included in the request is expired",
            ));
        }
        if self.doubts_signatures
            || token.is_some_and(|_| !signed.covers("x-amz-security-token"))
            || !signed.is_by(&key.secret)
        {
            let sent = format!(
                "{}\n{}",
                token.unwrap_or_default(),
                signed.header("authorization").unwrap_or_default()
            );
            return Err(error(
                "SignatureDoesNotMatch",
                &format!("The Canonical String should have been '{sent}'"),
            ));
        }
        Ok(key.principal.clone())
    }

    /// The role that this session was had for.
    pub(in crate::secret_server) fn role_of(&self, arn: &str) -> Option<&str> {
        let session = self.sessions.iter().find(|session| {
            self.keys.get(&session.access_key).is_some_and(|key| key.principal == arn)
        })?;
        Some(&session.role_arn)
    }
}
