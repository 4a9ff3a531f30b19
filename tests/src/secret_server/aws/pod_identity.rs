//! The agent of EKS Pod Identity: a pod's token goes in, the credentials of its association's role
//! come out.

use std::time::Duration;

use serde_json::json;

use super::{ACCOUNT, Aws, AwsError, Session, session::AccessKey, sts::principal};
use crate::secret_server::{Request, identifier::uuid, reply::Reply};

/// How long the credentials hold.
const DURATION: Duration = Duration::from_hours(6);

impl Aws {
    /// Answers a request to the agent on the node.
    pub(in crate::secret_server) fn pod_identity(&mut self, request: &Request) -> Reply {
        let token = request.header("authorization").unwrap_or_default();
        let refusal = if token.is_empty() {
            Some(AwsError::new(400, "InvalidTokenException", "no token"))
        } else if self.expired.contains(token) {
            Some(AwsError::new(400, "ExpiredTokenException", format!("Token {token} is expired")))
        } else {
            None
        };
        let unknown =
            || AwsError::new(404, "ResourceNotFoundException", "The association was not found");
        let role = refusal.map_or_else(|| self.associations.get(token).ok_or_else(unknown), Err);
        match role.cloned() {
            Ok(role) => self.credentials(role),
            Err(error) => error.text(),
        }
    }

    fn credentials(&mut self, role_arn: String) -> Reply {
        let name = format!("eks-cluster-web-0-{}", uuid());
        let key = AccessKey::temporary(principal(&role_arn, &name));
        self.sessions.push(Session {
            role_arn,
            name,
            external_id: None,
            access_key: key.id.clone(),
        });
        let end = humantime::format_rfc3339_seconds(self.now() + DURATION).to_string();
        let body = json!({
            "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.token,
            "AccountId": ACCOUNT, "Expiration": end,
        });
        self.keys.insert(key.id.clone(), key);
        Reply::json(200, "application/json", &body)
    }
}
