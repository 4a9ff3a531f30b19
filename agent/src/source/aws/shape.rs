//! Whether an answer is AWS's own, by its shape. PURE.
//!
//! Between the agent and AWS there are proxies, balancers and captive portals, and they answer too: with
//! pages, with JSON of their own, with 200, 403 and 404. None of that says anything about a secret.

use http::{HeaderMap, header::CONTENT_TYPE};
use serde::Deserialize;

use crate::http::Answer;

/// How a service is spoken with, as far as its answers can be told from others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// JSON 1.1: Secrets Manager, the Parameter Store, KMS.
    Json,
    /// Form in, XML out: STS.
    Query,
    /// What else the usual chain asks.
    Other,
}

/// What every error in JSON has.
#[derive(Deserialize)]
struct JsonError {
    #[serde(rename = "__type")]
    _code: String,
}

impl Shape {
    /// The shape of the answer to a request with these headers.
    pub(super) fn asked_for(request: &HeaderMap) -> Self {
        let content_type = request.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if request.contains_key("x-amz-target") {
            Self::Json
        } else if content_type
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        {
            Self::Query
        } else {
            Self::Other
        }
    }

    /// Whether AWS has said it.
    pub(super) fn is_of(self, answer: &Answer) -> bool {
        let is_good = answer.status().is_success();
        match self {
            Self::Json if is_good => answer.body().trim_ascii_start().starts_with(b"{"),
            Self::Json => {
                answer.headers().contains_key("x-amzn-errortype")
                    || serde_json::from_slice::<JsonError>(answer.body()).is_ok()
            }
            Self::Query => root(answer.body()).is_some_and(|root| {
                root.ends_with("Response") && is_good != (root == "ErrorResponse")
            }),
            Self::Other => true,
        }
    }
}

/// The name of an XML document's outermost element.
fn root(xml: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(xml);
    let mut tags = text.trim_start_matches('\u{feff}').trim_start().split('<').skip(1);
    let root = tags.find(|tag| !tag.starts_with(['?', '!']))?;
    let name: String = root.chars().take_while(|character| character.is_alphanumeric()).collect();
    Some(name)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn is_of(shape: Shape, status: u16, body: &str) -> bool {
        let mut answer = http::Response::new(Zeroizing::new(body.as_bytes().to_vec()));
        *answer.status_mut() = status.try_into().expect("a status");
        shape.is_of(&answer)
    }

    #[test]
    fn only_their_own_errors_are_errors_of_json_services() {
        let own = r#"{"__type":"ResourceNotFoundException","Message":"gone"}"#;
        for status in [400, 404, 500] {
            assert!(is_of(Shape::Json, status, own));
        }
        for body in [
            "",
            "<html><h1>404 Not Found</h1></html>",
            r#"{"code":"404","message":"no route"}"#,
            r#"{"message":"Forbidden"}"#,
            r#"{"__type":7}"#,
            "[]",
        ] {
            for status in [302, 400, 403, 404, 502] {
                assert!(!is_of(Shape::Json, status, body), "{status} {body}");
            }
        }
        let mut answer = http::Response::new(Zeroizing::default());
        *answer.status_mut() = http::StatusCode::BAD_REQUEST;
        answer
            .headers_mut()
            .insert("x-amzn-errortype", "ThrottlingException".parse().expect("text"));
        assert!(Shape::Json.is_of(&answer));
    }

    #[test]
    fn a_captive_portals_200_is_no_answer() {
        assert!(is_of(Shape::Json, 200, "\n{\"SecretString\":\"x\"}"));
        for body in ["", "<html></html>", "ok", "[1]"] {
            assert!(!is_of(Shape::Json, 200, body), "{body}");
            assert!(!is_of(Shape::Query, 200, body), "{body}");
        }
    }

    #[test]
    fn sts_answers_and_refuses_by_its_root_element() {
        let error = "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"x\"><Error/></ErrorResponse>";
        let good = "<AssumeRoleResponse xmlns=\"x\"></AssumeRoleResponse>";
        assert!(is_of(Shape::Query, 403, error) && is_of(Shape::Query, 200, good));
        assert!(!is_of(Shape::Query, 200, error) && !is_of(Shape::Query, 403, good));
        assert!(!is_of(Shape::Query, 403, "<!DOCTYPE html><html>ErrorResponse</html>"));
        assert!(!is_of(Shape::Query, 404, "<Error><Code>NoSuchBucket</Code></Error>"));
    }
}
