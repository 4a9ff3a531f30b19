//! The Parameter Store's operations. JSON 1.1, as Secrets Manager has it.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{
    Aws, AwsError, Parameter, ParameterValue, error::AMZ_JSON, parameter::Version,
    session::AccessKey,
};
use crate::secret_server::{Request, reply::Reply};

/// The most that one call may name, or one page holds.
const MOST: usize = 10;

type Answer = Result<Value, AwsError>;

impl Aws {
    /// Answers a request to the Parameter Store.
    pub(in crate::secret_server) fn parameter_store(&self, request: &Request) -> Reply {
        let input = request.json();
        let answer = self.signer(request, "ssm").and_then(|who| match request.target() {
            "GetParameters" => self.get_parameters(who, &input),
            "GetParametersByPath" => self.get_parameters_by_path(who, &input),
            _ => Err(AwsError::new(400, "UnknownOperationException", "")),
        });
        match answer {
            Ok(body) => Reply::json(200, AMZ_JSON, &body),
            Err(error) => error.json(),
        }
    }

    /// What is not there is told beside what is, with HTTP 200; what may not be read fails all.
    fn get_parameters(&self, who: &AccessKey, input: &Value) -> Answer {
        let names: Vec<&str> =
            input["Names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if names.is_empty() || names.len() > MOST {
            return Err(AwsError::validation(format!(
                "1 validation error detected: Value at 'names' failed to satisfy constraint: \
                 Member must have length less than or equal to {MOST}"
            )));
        }
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        for asked in names {
            let (name, selector) = parted(asked);
            let parameter = self
                .parameters
                .values()
                .find(|parameter| parameter.name == name || parameter.arn == name);
            self.may_read(
                who,
                "GetParameters",
                parameter.map_or(name, |parameter| &parameter.name),
            )?;
            match parameter.and_then(|parameter| Some((parameter, parameter.selected(selector)?))) {
                Some((parameter, version)) => found.push(told(parameter, version, selector, input)),
                None => invalid.push(asked),
            }
        }
        // The order of the answers is not that of the names.
        found.reverse();
        Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
    }

    /// The first page is empty, as AWS may have it, when there is more than one.
    fn get_parameters_by_path(&self, who: &AccessKey, input: &Value) -> Answer {
        let path = input["Path"].as_str().unwrap_or_default();
        let path = format!("{}/", path.trim_end_matches('/'));
        self.may_read(who, "GetParametersByPath", &path)?;
        let recursive = input["Recursive"].as_bool().unwrap_or_default();
        let below = |parameter: &&Parameter| {
            let rest = parameter.name.strip_prefix(&path);
            rest.is_some_and(|rest| recursive || !rest.contains('/'))
        };
        let all: Vec<&Parameter> = self.parameters.values().filter(below).collect();
        let token = input["NextToken"].as_str().and_then(|token| token.parse::<usize>().ok());
        let (page, next) = match token {
            None if all.len() > MOST => (&all[..0], Some(0)),
            start => {
                let start = start.unwrap_or_default().min(all.len());
                let end = all.len().min(start + MOST);
                (&all[start..end], (end < all.len()).then_some(end))
            }
        };
        let found = page
            .iter()
            .filter_map(|parameter| Some(told(parameter, parameter.selected(None)?, None, input)));
        let next = next.map(|next| next.to_string());
        Ok(json!({"Parameters": found.collect::<Vec<_>>(), "NextToken": next}))
    }

    fn may_read(&self, who: &AccessKey, operation: &str, name: &str) -> Result<(), AwsError> {
        if self.denied.contains(name) {
            let path = name.trim_start_matches('/');
            let arn = format!("arn:aws:ssm:{}:{}:parameter/{path}", self.region, super::ACCOUNT);
            return Err(AwsError::denied(&who.principal, &format!("ssm:{operation}"), &arn));
        }
        if self.denied_keys.contains(name) {
            let text = "The ciphertext refers to a customer master key that does not exist, does \
                        not exist in this region, or you are not allowed to access.";
            return Err(AwsError::new(400, "AccessDeniedException", text));
        }
        Ok(())
    }
}

/// The name and what is behind its last colon; an ARN has five of its own.
fn parted(asked: &str) -> (&str, Option<&str>) {
    let own = if asked.starts_with("arn:") { 5 } else { 0 };
    match asked.match_indices(':').nth(own) {
        Some((at, _)) => (&asked[..at], Some(&asked[at + 1..])),
        None => (asked, None),
    }
}

/// Who does not ask for the decrypted value gets another one.
fn told(parameter: &Parameter, version: &Version, selector: Option<&str>, input: &Value) -> Value {
    let decrypted = input["WithDecryption"].as_bool().unwrap_or_default();
    let (kind, value) = match &version.value {
        ParameterValue::Secure(value) if decrypted => ("SecureString", value.clone()),
        ParameterValue::Secure(_) => ("SecureString", "AQICAH-ciphertext".to_owned()),
        ParameterValue::List(value) => ("StringList", value.clone()),
    };
    let changed = version.changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    json!({
        "ARN": parameter.arn,
        "DataType": "text",
        "LastModifiedDate": changed.as_secs_f64(),
        "Name": parameter.name,
        "Selector": selector.map(|selector| format!(":{selector}")),
        "Type": kind,
        "Value": value,
        "Version": version.number,
    })
}
