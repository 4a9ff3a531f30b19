//! The exact shapes in which EKS's two identity webhooks write: volume, mount, variables.
//!
//! PURE. An author can write the same by hand, and gains nothing: it is the pod's own token at EKS's own place.
//! Whatever has EKS's names in another shape is not EKS's.

use serde_json::Value;

use crate::{
    pod::{Pod, items, text},
    sameness::is_empty,
    settings,
};

/// The volume that EKS's webhook adds to a pod whose service account has a role.
pub(crate) const EKS_VOLUME: &str = "aws-iam-token";
/// The volume that it adds to a pod whose service account has a Pod Identity association.
pub(crate) const POD_IDENTITY_VOLUME: &str = "eks-pod-identity-token";

/// What EKS's webhook sets beside either token.
const REGION_VARIABLES: [&str; 3] =
    ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS"];

/// One of the two tokens.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The volume.
    pub(crate) volume: &'static str,
    /// Where it is mounted.
    pub(crate) directory: &'static str,
    /// The token's file in it.
    file: &'static str,
    audiences: &'static [&'static str],
    /// What is set for this token alone.
    variables: [&'static str; 2],
}

/// IRSA's; the second audience is China's.
pub(crate) const IRSA: Token = Token {
    volume: EKS_VOLUME,
    directory: "/var/run/secrets/eks.amazonaws.com/serviceaccount",
    file: "token",
    audiences: &["sts.amazonaws.com", "sts.amazonaws.com.cn"],
    variables: ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"],
};

/// Pod Identity's.
pub(crate) const POD_IDENTITY: Token = Token {
    volume: POD_IDENTITY_VOLUME,
    directory: "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
    file: "eks-pod-identity-token",
    audiences: &["pods.eks.amazonaws.com"],
    variables: ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
};

pub(crate) const TOKENS: [&Token; 2] = [&IRSA, &POD_IDENTITY];

impl Token {
    /// Whether `pod` has the volume, as EKS writes it.
    pub(crate) fn is_in(&self, pod: &Pod<'_>) -> bool {
        let mut named = pod.volumes().iter().filter(|volume| text(volume, "name") == self.volume);
        named.next().is_some_and(|volume| self.is_volume(volume)) && named.next().is_none()
    }

    fn is_volume(&self, volume: &Value) -> bool {
        let projected = volume.get("projected").unwrap_or(&Value::Null);
        let [source] = items(projected, "sources") else { return false };
        let token = source.get("serviceAccountToken").unwrap_or(&Value::Null);
        says_only(volume, &["name", "projected"])
            && says_only(projected, &["sources", "defaultMode"])
            && says_only(source, &["serviceAccountToken"])
            && says_only(token, &["audience", "expirationSeconds", "path"])
            && self.audiences.contains(&text(token, "audience"))
            && text(token, "path") == self.file
    }

    /// Whether `mount` is this volume at its place, whole and to read.
    pub(crate) fn is_mount(&self, mount: &Value) -> bool {
        says_only(mount, &["name", "mountPath", "readOnly"])
            && text(mount, "name") == self.volume
            && text(mount, "mountPath").trim_end_matches('/') == self.directory
            && mount.get("readOnly").and_then(Value::as_bool) == Some(true)
    }

    /// The variables that EKS sets for this token alone.
    pub(crate) fn variables(&'static self) -> &'static [&'static str] {
        &self.variables
    }
}

/// The variables that EKS sets whatever the token is.
pub(crate) fn region_variables() -> impl Iterator<Item = &'static str> {
    REGION_VARIABLES.into_iter()
}

/// The token that the variable `name` belongs to.
pub(crate) fn token_of(name: &str) -> Option<&'static Token> {
    TOKENS.into_iter().find(|token| token.variables.contains(&name))
}

/// Whether EKS sets the variable `name`.
pub(crate) fn is_variable(name: &str) -> bool {
    REGION_VARIABLES.contains(&name) || token_of(name).is_some()
}

/// What EKS would have written into `variable`: a text that the kubelet expands nothing in, of the variable's own
/// grammar.
pub(crate) fn value(variable: &Value) -> Option<&str> {
    let value = variable.get("value")?.as_str()?;
    let in_grammar = match text(variable, "name") {
        "AWS_REGION" | "AWS_DEFAULT_REGION" => settings::region(value).is_ok(),
        "AWS_STS_REGIONAL_ENDPOINTS" => matches!(value, "regional" | "legacy"),
        "AWS_ROLE_ARN" => value.starts_with("arn:") && value.bytes().all(is_of_an_arn),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI" => {
            value.starts_with("http://") && value.bytes().all(is_of_a_url)
        }
        name => token_of(name).is_some_and(|token| {
            value.strip_prefix(token.directory).and_then(|file| file.strip_prefix('/'))
                == Some(token.file)
        }),
    };
    (in_grammar && says_only(variable, &["name", "value"])).then_some(value)
}

fn is_of_an_arn(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":/+=,.@_-".contains(&byte)
}

fn is_of_a_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":/._-[]".contains(&byte)
}

/// Whether nothing beside `members` is said.
pub(crate) fn says_only(object: &Value, members: &[&str]) -> bool {
    object.as_object().is_some_and(|object| {
        object.iter().all(|(name, value)| members.contains(&name.as_str()) || is_empty(value))
    })
}
