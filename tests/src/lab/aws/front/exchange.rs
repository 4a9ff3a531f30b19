//! The three ways to a session: a pod's token at STS, another session at STS, and a pod's token at EKS's agent.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, Response, StatusCode, header::AUTHORIZATION},
    response::IntoResponse,
};
use serde_json::json;

use super::{
    super::{
        ACCOUNT,
        sts::{CallerIdentity, Refusal, Session},
        web_identity::{POD_IDENTITY_AUDIENCE, STS_AUDIENCE},
    },
    Call, Front, Guest, Records,
};

/// What STS gives if nothing is asked for.
const DEFAULT_LIFETIME: Duration = Duration::from_hours(1);

/// How long credentials of EKS Pod Identity hold.
const POD_IDENTITY_LIFETIME: Duration = Duration::from_hours(6);

/// The fields of a request to STS.
type Form = BTreeMap<String, String>;

impl Front {
    pub(super) async fn assume_with_web_identity(&self, form: &Form) -> Response<Body> {
        if self.is_out_for(form) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let outcome = self.session_of_token(form).await;
        self.note("AssumeRoleWithWebIdentity", form, None, outcome)
    }

    async fn session_of_token(&self, form: &Form) -> Result<Session, Refusal> {
        let (role, name) = (parameter(form, "RoleArn")?, parameter(form, "RoleSessionName")?);
        let token = parameter(form, "WebIdentityToken")?;
        let subject = self.issuer.verify(&token, STS_AUDIENCE).await?.sub;
        let mut records = self.records();
        if !records.trust.get(&role).is_some_and(|subjects| subjects.contains(&subject)) {
            return Err(Refusal::AccessDenied);
        }
        Ok(records.open(role, name, Some(subject), lifetime(form)))
    }

    pub(super) fn assume(&self, headers: &HeaderMap, form: &Form) -> Response<Body> {
        if self.is_out_for(form) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let over = self.signer(headers);
        let outcome = self.session_over(over.as_ref(), form);
        self.note("AssumeRole", form, over.map(|over| over.role), outcome)
    }

    fn session_over(&self, over: Option<&Session>, form: &Form) -> Result<Session, Refusal> {
        let (role, name) = (parameter(form, "RoleArn")?, parameter(form, "RoleSessionName")?);
        let over = over.ok_or(Refusal::InvalidClientTokenId)?;
        let external_id = form.get("ExternalId").cloned();
        let guest = Guest { role: role.clone(), over: over.role.clone(), external_id };
        let mut records = self.records();
        if !records.guests.contains(&guest) {
            return Err(Refusal::NotAuthorized { who: over.arn(), role });
        }
        Ok(records.open(role, name, None, lifetime(form)))
    }

    pub(super) fn caller_identity(&self, headers: &HeaderMap) -> Response<Body> {
        match self.signer(headers) {
            Some(session) => CallerIdentity(session).into_response(),
            None => Refusal::InvalidClientTokenId.into_response(),
        }
    }

    fn is_out_for(&self, form: &Form) -> bool {
        form.get("RoleArn").is_some_and(|role| self.records().outages.contains(role))
    }

    /// Records what came of a request to STS.
    fn note(
        &self,
        action: &str,
        form: &Form,
        resource: Option<String>,
        outcome: Result<Session, Refusal>,
    ) -> Response<Body> {
        let refusal = outcome.as_ref().err().map(|refusal| refusal.code().to_owned());
        let response = outcome.into_response();
        self.records().calls.push(Call {
            action: action.to_owned(),
            role: form.get("RoleArn").cloned(),
            session: form.get("RoleSessionName").cloned(),
            resource,
            status: response.status().as_u16(),
            refusal,
        });
        response
    }

    /// The session that EKS gives for a pod's token, or the status and code of its refusal.
    async fn session_of_pod(&self, token: &str) -> Result<Session, (StatusCode, &'static str)> {
        let claims = self.issuer.verify(token, POD_IDENTITY_AUDIENCE).await;
        let claims = claims.map_err(|refusal| match refusal {
            Refusal::ExpiredToken => (StatusCode::BAD_REQUEST, "ExpiredTokenException"),
            _ => (StatusCode::BAD_REQUEST, "InvalidTokenException"),
        })?;
        let mut records = self.records();
        let none = (StatusCode::NOT_FOUND, "ResourceNotFoundException");
        let role = records.associations.get(&claims.sub).cloned().ok_or(none)?;
        let pod = claims.kubernetes.and_then(|it| it.pod).map(|it| it.name).unwrap_or_default();
        let name = format!("eks-lab-{pod}-{:032x}", fastrand::u128(..));
        Ok(records.open(role, name, Some(claims.sub), POD_IDENTITY_LIFETIME))
    }
}

impl Records {
    /// A new session, whose credentials are good from now on.
    fn open(
        &mut self,
        role: String,
        name: String,
        subject: Option<String>,
        lifetime: Duration,
    ) -> Session {
        let access_key = format!("ASIA{:016X}", fastrand::u64(..));
        let session = Session { role, name, subject, access_key: access_key.clone(), lifetime };
        self.sessions.insert(access_key, session.clone());
        session
    }
}

/// What EKS's agent answers on a node.
pub(super) async fn credentials(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
) -> Response<Body> {
    let token = headers.get(AUTHORIZATION).and_then(|token| token.to_str().ok());
    let outcome = front.session_of_pod(token.unwrap_or_default()).await;
    let refusal = outcome.as_ref().err().map(|(_, code)| (*code).to_owned());
    let (role, session) =
        outcome.as_ref().ok().map(|it| (it.role.clone(), it.name.clone())).unzip();
    let response = match outcome {
        Ok(session) => Json(json!({
            "AccessKeyId": session.access_key,
            "SecretAccessKey": format!("{:040x}", fastrand::u128(..)),
            "Token": format!("{:064x}", fastrand::u128(..)),
            "AccountId": ACCOUNT,
            "Expiration": session.expiration(),
        }))
        .into_response(),
        Err((status, code)) => (status, format!("[lab]: ({code}): refused")).into_response(),
    };
    let (action, status) = ("AssumeRoleForPodIdentity".to_owned(), response.status().as_u16());
    front.records().calls.push(Call { action, role, session, resource: None, status, refusal });
    response
}

fn parameter(form: &Form, name: &str) -> Result<String, Refusal> {
    let missing =
        || Refusal::Validation(format!("1 validation error detected: '{name}' must not be null"));
    form.get(name).cloned().ok_or_else(missing)
}

fn lifetime(form: &Form) -> Duration {
    let asked = form.get("DurationSeconds").and_then(|seconds| seconds.parse().ok());
    asked.map_or(DEFAULT_LIFETIME, Duration::from_secs)
}
