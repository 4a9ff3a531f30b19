//! Secrets Manager's operations. JSON 1.1: the operation is in a header, errors are HTTP 400.

use std::time::{Duration, SystemTime};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{Aws, AwsError, Secret, SecretValue, Version, error::AMZ_JSON, session::AccessKey};
use crate::secret_server::{Request, reply::Reply};

/// The most that one batch may name.
const LARGEST_BATCH: usize = 20;

type Answer = Result<Value, AwsError>;

impl Aws {
    /// Answers a request to Secrets Manager.
    pub(in crate::secret_server) fn secrets_manager(&self, request: &Request) -> Reply {
        let input = request.json();
        let lags = request.region().is_some_and(|region| self.lagging.contains(region));
        let answer =
            self.signer(request, "secretsmanager").and_then(|who| match request.target() {
                "GetSecretValue" => self.get_secret_value(who, &input, lags),
                "DescribeSecret" => self.describe_secret(who, &input),
                "BatchGetSecretValue" => self.batch_get_secret_value(who, &input, lags),
                _ => Err(AwsError::new(400, "UnknownOperationException", "")),
            });
        match answer {
            Ok(body) => Reply::json(200, AMZ_JSON, &body),
            Err(error) => error.json(),
        }
    }

    fn get_secret_value(&self, who: &AccessKey, input: &Value, lags: bool) -> Answer {
        let secret = self.readable(who, "GetSecretValue", input)?;
        if secret.marked_for_deletion {
            return Err(AwsError::invalid_request(
                "You can't perform this operation on the secret because it was marked for deletion.",
            ));
        }
        let previous = secret.labelled("AWSPREVIOUS").filter(|_| lags);
        let (id, version) = previous.map_or_else(|| chosen(secret, input), Ok)?;
        Ok(secret_value(secret, id, version))
    }

    fn describe_secret(&self, who: &AccessKey, input: &Value) -> Answer {
        if self.denied_operations.contains("DescribeSecret") {
            let id = input["SecretId"].as_str().unwrap_or_default();
            return Err(AwsError::denied(&who.principal, "secretsmanager:DescribeSecret", id));
        }
        let secret = self.readable(who, "DescribeSecret", input)?;
        let stages: Map<_, _> =
            secret.versions().map(|(id, version)| (id.to_owned(), json!(version.stages))).collect();
        let mut answer = json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionIdsToStages": stages,
        });
        if let Some(rotation) = &secret.rotation {
            answer["RotationEnabled"] = json!(true);
            answer["LastRotatedDate"] = epoch(rotation.last);
            answer["NextRotationDate"] = epoch(rotation.next);
        }
        if secret.marked_for_deletion {
            answer["DeletedDate"] = epoch(SystemTime::now());
        }
        Ok(answer)
    }

    /// What cannot be read is told beside what can, with HTTP 200.
    fn batch_get_secret_value(&self, who: &AccessKey, input: &Value, lags: bool) -> Answer {
        if self.denied_operations.contains("BatchGetSecretValue") {
            let action = "secretsmanager:BatchGetSecretValue";
            return Err(AwsError::denied(&who.principal, action, "*"));
        }
        let ids = input["SecretIdList"].as_array().map(Vec::as_slice).unwrap_or_default();
        if ids.is_empty() || ids.len() > LARGEST_BATCH {
            return Err(AwsError::validation(format!(
                "SecretIdList must name from 1 to {LARGEST_BATCH} secrets"
            )));
        }
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in ids {
            let flaky = id.as_str().is_some_and(|id| self.flaky.contains(id));
            let failed = flaky.then(AwsError::internal).map_or(Ok(()), Err);
            match failed.and_then(|()| self.get_secret_value(who, &json!({ "SecretId": id }), lags))
            {
                Ok(value) => values.push(value),
                Err(AwsError { code, message, .. }) => {
                    errors.push(json!({"SecretId": id, "ErrorCode": code, "Message": message}));
                }
            }
        }
        Ok(json!({"SecretValues": values, "Errors": errors}))
    }

    /// The secret, if there is one and it is not denied. Who may not read is told no more.
    fn readable(
        &self,
        who: &AccessKey,
        operation: &str,
        input: &Value,
    ) -> Result<&Secret, AwsError> {
        let id = input["SecretId"].as_str().ok_or_else(|| {
            AwsError::validation("1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null")
        })?;
        let secret = self.secret(id);
        let name = secret.map_or(id, |secret| secret.name.as_str());
        if self.denied.contains(name) {
            let arn = secret.map_or(id, |secret| secret.arn.as_str());
            let action = format!("secretsmanager:{operation}");
            return Err(AwsError::denied(&who.principal, &action, arn));
        }
        if self.denied_keys.contains(name) {
            let text = "Access to KMS is not allowed";
            return Err(AwsError::new(400, "AccessDeniedException", text));
        }
        secret.ok_or_else(AwsError::no_secret)
    }
}

/// By id, by label, or by both if they say the same; `AWSCURRENT` by default.
fn chosen<'a>(secret: &'a Secret, input: &Value) -> Result<(&'a str, &'a Version), AwsError> {
    let (id, stage) = (input["VersionId"].as_str(), input["VersionStage"].as_str());
    let Some(id) = id else {
        let stage = stage.unwrap_or("AWSCURRENT");
        return secret.labelled(stage).ok_or_else(|| no_value("staging label", stage));
    };
    let version = secret.version(id).ok_or_else(|| no_value("VersionId", id))?;
    match stage {
        Some(stage) if !version.1.stages.contains(stage) => Err(AwsError::invalid_request(
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )),
        _ => Ok(version),
    }
}

fn no_value(what: &str, which: &str) -> AwsError {
    AwsError::not_found(format!(
        "Secrets Manager can't find the specified secret value for {what}: {which}"
    ))
}

fn secret_value(secret: &Secret, id: &str, version: &Version) -> Value {
    let (field, value) = match &version.value {
        SecretValue::Text(text) => ("SecretString", text.clone()),
        SecretValue::Binary(bytes) => ("SecretBinary", BASE64_STANDARD.encode(bytes)),
    };
    json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": id,
        "VersionStages": version.stages,
        "CreatedDate": epoch(version.created),
        field: value,
    })
}

/// Seconds with a fraction, as AWS has it.
fn epoch(time: SystemTime) -> Value {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    json!(since.as_secs_f64())
}
