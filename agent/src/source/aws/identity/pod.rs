//! EKS Pod Identity: the pod's token, exchanged at the node's agent for the association's role.
//!
//! The token goes to the two addresses that EKS's agent has on every node, or to the loopback, and
//! nowhere else, through no proxy: whoever had it would be the pod.

use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use serde::Deserialize;
use url::{Host, Url};

use super::token;
use crate::{
    fault::{Class, Fault, quoted},
    http::{Answer, Client, Http, Stranger, TransportError, exchange, retry_after, shown},
    root::Root,
    source::{aws::environment::AwsEnvironment, contract::SourceError},
};

/// Where EKS's agent listens on a node.
const NODE: [&str; 2] = ["169.254.170.23", "fd00:ec2::23"];

/// A token in a file, and the agent that gives a role's credentials for it.
#[derive(Debug)]
pub(super) struct PodIdentity {
    client: Client,
    url: Url,
    token_file: PathBuf,
    pub(super) region: Option<String>,
}

/// What the node's agent gives.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: String,
    token: String,
    expiration: String,
}

impl PodIdentity {
    pub(super) fn new(
        http: &Http,
        environment: AwsEnvironment,
        region: Option<String>,
    ) -> Result<Self, SourceError> {
        let missing = |name| move || missing(name);
        let url = environment.credentials_uri;
        let url = url.ok_or_else(missing("AWS_CONTAINER_CREDENTIALS_FULL_URI"))?;
        let token_file = environment.credentials_token_file;
        let token_file =
            token_file.ok_or_else(missing("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))?;
        let root: &Root = http.root();
        Ok(Self {
            client: http
                .client(None, false)
                .map_err(|error| Fault::new(Class::Configuration, error))?,
            url: allowed(&url).ok_or_else(|| refused(&url))?,
            token_file: root.resolve(&token_file),
            region,
        })
    }

    /// Reads the token anew, because the kubelet rotates it, and exchanges it.
    pub(super) async fn exchange(&self) -> Result<Credentials, SourceError> {
        let token = token::read(&self.token_file)?;
        let answer = self.ask(&token).await?;
        let answered =
            if answer.status() == StatusCode::OK { given(answer.body()) } else { refusal(&answer) };
        // A server may quote what it was sent.
        let refused = |fault| token::hidden(fault, &token);
        answered.unwrap_or_else(|| Err(self.stranger(&answer))).map_err(refused)
    }

    fn stranger(&self, answer: &Answer) -> SourceError {
        let (host, stranger) = (self.client.host(&self.url), Stranger::of(answer));
        let wait = stranger.retry_after;
        unreachable(&TransportError::Stranger { host, stranger }).not_before(wait)
    }

    async fn ask(&self, token: &str) -> Result<Answer, SourceError> {
        let unsendable = |_| {
            let path = self.token_file.display();
            let words = format!("no workload identity: the token in `{path}` is no token");
            Fault::new(Class::Refused, words)
        };
        let mut header = HeaderValue::from_str(token).map_err(unsendable)?;
        header.set_sensitive(true);
        let mut request = reqwest::Request::new(http::Method::GET, self.url.clone());
        request.headers_mut().insert(AUTHORIZATION, header);
        exchange(&self.client, request).await.map_err(|error| unreachable(&error))
    }
}

fn unreachable(error: &TransportError) -> SourceError {
    let words = "the node's EKS Pod Identity agent cannot be reached";
    Fault::new(Class::Unreachable, format_args!("{words}: {error}"))
}

/// The address, if a token may be sent there.
fn allowed(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let is_node = |address: &dyn ToString| NODE.contains(&address.to_string().as_str());
    let is_near = match url.host()? {
        Host::Ipv4(address) => address.is_loopback() || is_node(&address),
        Host::Ipv6(address) => address.is_loopback() || is_node(&address),
        Host::Domain(name) => name == "localhost",
    };
    (url.scheme() == "http" && is_near).then_some(url)
}

fn refused(url: &str) -> SourceError {
    let words = format!(
        "the pod's token is not sent to `{}`; AWS_CONTAINER_CREDENTIALS_FULL_URI may be \
         `http://169.254.170.23/…`, `http://[fd00:ec2::23]/…`, or on the loopback",
        shown(url)
    );
    Fault::new(Class::Refused, words)
}

fn missing(variable: &str) -> SourceError {
    let words = format!(
        "no workload identity: {variable} is not in the agent's environment, where EKS's webhook puts it; \
         associate the pod's service account with a role (`aws eks create-pod-identity-association`) and create \
         the pod anew, or set `mayfly.dev/aws-identity` to `irsa`"
    );
    Fault::new(Class::Refused, words)
}

/// The credentials; nothing, if the answer is another's.
fn given(body: &[u8]) -> Option<Result<Credentials, SourceError>> {
    let given: Given = serde_json::from_slice(body).ok()?;
    let end = DateTime::from_str(&given.expiration, Format::DateTime).ok()?;
    let end = end.try_into().ok()?;
    let (key, secret) = (given.access_key_id, given.secret_access_key);
    Some(Ok(Credentials::new(key, secret, Some(given.token), Some(end), "mayfly")))
}

/// What the node's agent says instead of credentials: plain text with the code of EKS inside, as in
/// `[id]: (ResourceNotFoundException): …`, or words of its own. Nothing, if somebody else says it.
fn refusal(answer: &Answer) -> Option<Result<Credentials, SourceError>> {
    let status = answer.status();
    let said = quoted(&String::from_utf8_lossy(answer.body()));
    let (class, words) = meaning(status, &said)?;
    let wait = retry_after(|name| answer.headers().get(name)?.to_str().ok());
    let fault = Fault::new(class, format_args!("{words}: HTTP status {status}: {said}"));
    let fault = fault.not_before(wait);
    // What was associated or trusted a moment ago is on its way.
    let passes = class == Class::Refused && code(&said) != Some("InvalidTokenException");
    Some(Err(if passes { fault.that_passes() } else { fault }))
}

fn meaning(status: StatusCode, said: &str) -> Option<(Class, &'static str)> {
    let refuses = "EKS Pod Identity refuses the pod; the role's trust policy must allow `sts:AssumeRole` and \
                   `sts:TagSession` to `pods.eks.amazonaws.com`";
    let code = code(said);
    Some(match code {
        _ if status == StatusCode::TOO_MANY_REQUESTS => {
            (Class::Throttled, "the node's EKS Pod Identity agent asks for fewer calls")
        }
        Some("ThrottlingException") => (Class::Throttled, "EKS Pod Identity asks for fewer calls"),
        Some("ExpiredTokenException") => {
            (Class::Unreachable, "EKS Pod Identity does not take the pod's token any more")
        }
        Some("ResourceNotFoundException") => (
            Class::Refused,
            "EKS Pod Identity has no association for the pod's service account; make one \
             (`aws eks create-pod-identity-association`)",
        ),
        Some(_) if status.is_client_error() => (Class::Refused, refuses),
        None if status == StatusCode::FORBIDDEN && said.starts_with("Access Denied. ") => {
            (Class::Refused, refuses)
        }
        Some(_) => (Class::Unreachable, "the node's EKS Pod Identity agent failed"),
        None => return None,
    })
}

/// The code in parentheses.
fn code(said: &str) -> Option<&str> {
    let (before, rest) = said.split_once('(')?;
    let (code, _) = rest.split_once(')')?;
    let is_code = code.ends_with("Exception") && code.chars().all(char::is_alphanumeric);
    (is_code && (before.is_empty() || before.starts_with('['))).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_sent_to_the_node_and_the_loopback_only() {
        for url in [
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://127.0.0.1:1234/v1/credentials",
            "http://[::1]/",
            "http://localhost/",
        ] {
            assert!(allowed(url).is_some(), "{url}");
        }
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://169.254.170.2/v2/credentials",
            "http://169.254.170.23.example/",
            "http://10.0.0.1/",
            "http://user@10.0.0.1/",
            "http://[fd00:ec2::254]/",
            "https://example.com/",
            "ftp://127.0.0.1/",
            "/v1/credentials",
            "",
        ] {
            assert!(allowed(url).is_none(), "{url}");
        }
    }

    #[test]
    fn what_is_no_answer_is_no_credential() {
        for body in [
            &b""[..],
            b"{}",
            b"<html>",
            br#"{"AccessKeyId":"a","SecretAccessKey":"b","Token":"c","Expiration":"soon"}"#,
        ] {
            assert!(given(body).is_none());
        }
    }

    #[test]
    fn only_the_nodes_agent_can_refuse() {
        let meaning = |status: u16, said| {
            let status = status.try_into().expect("a status");
            super::meaning(status, said).map(|(class, _)| class)
        };
        let own = "[1f]: (ResourceNotFoundException): The association was not found, fault: client";
        assert_eq!(meaning(404, own), Some(Class::Refused));
        assert_eq!(meaning(403, "(AccessDeniedException): no"), Some(Class::Refused));
        assert_eq!(meaning(403, "Access Denied. Pod does not exist"), Some(Class::Refused));
        assert_eq!(meaning(400, "[]: (ExpiredTokenException): old"), Some(Class::Unreachable));
        assert_eq!(meaning(500, "[]: (InternalServerException): x"), Some(Class::Unreachable));
        assert_eq!(meaning(429, "Too Many Requests. "), Some(Class::Throttled));
        for said in ["404 page not found", "<html>(AccessDeniedException)</html>", "", "()", ")("] {
            assert_eq!(meaning(404, said), None, "{said}");
            assert_eq!(meaning(403, said), None, "{said}");
        }
    }
}
