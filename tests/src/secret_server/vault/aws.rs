//! The AWS auth method: a signed request goes in; STS says who signed it; a Vault token comes out.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use url::Url;

use super::{Vault, errors};
use crate::{
    secret_server::{Aws, Request, reply::Reply},
    signature::Signed,
};

/// A mount of the method.
#[derive(Debug, Clone, Default)]
pub(super) struct AwsMount {
    /// The ARNs of sessions by the roles that are theirs.
    roles: BTreeMap<String, String>,
    /// `iam_server_id_header_value`.
    server_id: Option<String>,
    /// The region of the STS that is asked.
    region: Option<String>,
}

impl Vault {
    /// A role for sessions of this IAM role.
    pub fn trust_aws(&mut self, mount: &str, role: &str, iam_role: &str) {
        let mount = self.aws_mounts.entry(mount.to_owned()).or_default();
        mount.roles.insert(role.to_owned(), iam_role.to_owned());
    }

    /// Logins must name this server, and be signed for STS in this region.
    pub fn demand_aws(&mut self, mount: &str, server_id: Option<&str>, region: Option<&str>) {
        let mount = self.aws_mounts.entry(mount.to_owned()).or_default();
        mount.server_id = server_id.map(str::to_owned);
        mount.region = region.map(str::to_owned);
    }

    pub(super) fn login_by_aws(&mut self, mount: &str, request: &Request, sts: &Aws) -> Reply {
        let body = request.json();
        let role = body["role"].as_str().unwrap_or_default().to_owned();
        match verdict(&self.aws_mounts[mount], &role, &body, sts) {
            Ok(()) => self.welcome(&role),
            Err(text) => errors(400, &[&text]),
        }
    }
}

fn verdict(mount: &AwsMount, role: &str, body: &Value, sts: &Aws) -> Result<(), String> {
    let bound = mount.roles.get(role);
    let bound = bound.ok_or_else(|| format!("entry for role \"{role}\" not found"))?;
    let field = |name: &str| {
        let bytes = body[name].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
        String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    };
    let url: Url = field("iam_request_url").parse().map_err(|_| "error parsing iam_request_url")?;
    let mut headers = headers(&field("iam_request_headers"));
    let host = ("host".to_owned(), url.host_str().unwrap_or_default().to_owned());
    headers.push(host);
    let text = field("iam_request_body");
    let method = body["iam_http_request_method"].as_str().unwrap_or_default();
    let signed = Signed { method, path: url.path(), headers: &headers, body: text.as_bytes() };
    let server_id = signed.header("x-vault-aws-iam-server-id");
    if mount.server_id.is_some()
        && (mount.server_id.as_deref() != server_id || !signed.covers("x-vault-aws-iam-server-id"))
    {
        return Err(
            "error validating X-Vault-AWS-IAM-Server-ID header: expected another".to_owned()
        );
    }
    let region = mount.region.as_deref().unwrap_or("us-east-1");
    let arn = sts.caller(&signed, region).map_err(|text| {
        format!("error making upstream request: received error code 403 from STS: {text}")
    })?;
    if sts.role_of(&arn) == Some(bound.as_str()) {
        Ok(())
    } else {
        Err(format!("IAM Principal \"{arn}\" does not belong to the role \"{role}\""))
    }
}

fn headers(json: &str) -> Vec<(String, String)> {
    let headers: BTreeMap<String, Vec<String>> = serde_json::from_str(json).unwrap_or_default();
    let first = |values: Vec<String>| values.into_iter().next().unwrap_or_default();
    headers.into_iter().map(|(name, values)| (name.to_lowercase(), first(values))).collect()
}
