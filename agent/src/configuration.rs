//! Where the configuration comes from, and what of it this agent cannot do here.
#![expect(clippy::disallowed_methods, reason = "a configuration may be a file")]

use std::path::{Path, PathBuf};

use mayfly_spec::{
    Location, Spec,
    spec::{Identity, Vault, is_plain_http},
};
use thiserror::Error;

use crate::{
    args::Environment,
    fault::{Class, Fault},
    root::Root,
};

/// A configuration that cannot be used. The words quote references, which are not secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// There is none.
    #[error("there is no configuration; set MAYFLY_CONFIG or give `--config FILE`")]
    None,
    /// The file cannot be read.
    #[error("the configuration `{path}` cannot be read: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// It is not what an agent reads.
    #[error("{origin}: {reason}")]
    Content {
        /// The variable or the file.
        origin: String,
        /// What is wrong in it.
        reason: String,
    },
    /// It asks for what cannot be done here.
    #[error("{0}")]
    Unusable(String),
}

impl From<ConfigurationError> for Fault {
    fn from(error: ConfigurationError) -> Self {
        Self::new(Class::Configuration, error)
    }
}

/// The configuration of `file`, or else of the environment; its directory below `root`.
pub fn load(
    file: Option<&Path>,
    environment: &Environment,
    root: &Root,
) -> Result<Spec, ConfigurationError> {
    let mut spec = match (file, &environment.config) {
        (Some(path), _) => read(path)?,
        (None, Some(json)) => parse_json(json)?,
        (None, None) => return Err(ConfigurationError::None),
    };
    spec.directory = root.resolve(&spec.directory);
    refuse(&spec, environment.in_pod)?;
    if environment.in_pod && file.is_some() {
        refuse_unverified(&spec)?;
    }
    Ok(spec)
}

fn read(path: &Path) -> Result<Spec, ConfigurationError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigurationError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    serde_saphyr::from_str(&text).map_err(|error| ConfigurationError::Content {
        origin: path.display().to_string(),
        // Without the lines around the fault: one of them may hold a password.
        reason: error.without_snippet().to_string(),
    })
}

fn parse_json(json: &str) -> Result<Spec, ConfigurationError> {
    Spec::from_environment(json).map_err(|error| ConfigurationError::Content {
        origin: "MAYFLY_CONFIG".to_owned(),
        reason: error.to_string(),
    })
}

/// Everything that this agent cannot do, in one message.
fn refuse(spec: &Spec, in_pod: bool) -> Result<(), ConfigurationError> {
    let entries = spec.files.entries().iter().flat_map(|entry| {
        entry.references().iter().filter_map(move |reference| {
            let reason = refusal(spec, &reference.location, in_pod)?;
            Some(format!("`{}` from `{}`: {reason}", entry.path, reference.label()))
        })
    });
    let addresses = plain_http(spec).filter(|_| in_pod);
    let faults: Vec<String> = entries.chain(addresses).collect();
    if faults.is_empty() { Ok(()) } else { Err(ConfigurationError::Unusable(faults.join("; "))) }
}

/// In a pod it is the operator who says whether TLS is verified, by what the webhook puts into `MAYFLY_CONFIG`.
fn refuse_unverified(spec: &Spec) -> Result<(), ConfigurationError> {
    if spec.vault.as_ref().is_some_and(|vault| vault.skip_verify) {
        let words = "`skip-verify` in `vault` is for trying out on your own machine; in a pod only the operator's configuration may say it";
        return Err(ConfigurationError::Unusable(words.to_owned()));
    }
    Ok(())
}

/// The addresses that have to be `https` in a pod. They are not quoted: one may hold a password.
fn plain_http(spec: &Spec) -> impl Iterator<Item = String> {
    let aws = spec.aws.as_ref();
    let addresses = [
        ("aws.endpoint", aws.and_then(|aws| aws.endpoint.as_ref())),
        ("aws.sts-endpoint", aws.and_then(|aws| aws.sts_endpoint.as_ref())),
        ("aws.proxy", aws.and_then(|aws| aws.proxy.as_ref())),
        ("vault.address", spec.vault.as_ref().map(|vault| &vault.address)),
    ];
    let is_refused = |url: &String| is_plain_http(url) && !spec.plain_http.contains(url);
    addresses.into_iter().filter(move |(_, url)| url.is_some_and(is_refused)).map(|(name, _)| {
        format!(
            "`{name}` is plain HTTP, which others can read on the way; in a pod it has to be `https://…`, \
             be on the loopback, or stand in `plain-http` too"
        )
    })
}

fn refusal(spec: &Spec, location: &Location, in_pod: bool) -> Option<String> {
    let identity = spec.aws.as_ref().map(|aws| aws.identity).unwrap_or_default();
    match location {
        Location::AwsSm(_) | Location::AwsSsm(_) | Location::Kms(_) if in_pod && identity == Identity::Default => Some(
            "in a pod there is no default AWS identity; set `identity: irsa` or `identity: pod-identity` in `aws` (`mayfly.dev/aws-identity`)".to_owned(),
        ),
        _ if location.source().is_vault() && in_pod && identity == Identity::Default && spec.vault.as_ref().is_some_and(Vault::asks_aws) => Some(
            "in a pod there is no default AWS identity to log in to Vault with; set `identity: irsa` or `identity: pod-identity` in `aws` (`mayfly.dev/aws-identity`)".to_owned(),
        ),
        Location::File(_) if in_pod => Some("`file:` references are for local development, not for pods".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mayfly_spec::reference::{Arn, Sealed, SealedHeader, Wrapping};

    use super::*;

    fn refused(json: &str, in_pod: bool) -> Option<String> {
        let environment =
            Environment { config: Some(json.to_owned()), in_pod, ..Environment::default() };
        load(None, &environment, &Root::default()).err().map(|error| error.to_string())
    }

    fn with(from: &str) -> String {
        format!(
            r#"{{"version":1,"directory":"/run/mayfly","files":[{{"path":"a","from":"{from}"}}]}}"#
        )
    }

    #[test]
    fn what_a_pod_may_not_have_is_refused_there_only() {
        let arn = Arn::parse("arn:aws:kms:eu-central-1:123456789012:key/a").expect("an ARN");
        let header = SealedHeader::new(Wrapping::Symmetric, arn, vec![1]).expect("a header");
        let sealed = Sealed::new(header, [0; 12], vec![0; 16]).expect("an envelope");
        let sealed = Location::Kms(sealed).to_string();
        for from in ["aws-sm:prod/db", "aws-ssm:/prod/db", &sealed, "file:/etc/motd"] {
            assert!(
                refused(&with(from), true).is_some_and(|words| words.contains("`a` from")),
                "{from}"
            );
            assert_eq!(refused(&with(from), false), None, "{from}");
        }
    }

    #[test]
    fn plain_http_is_for_the_loopback_and_for_what_is_listed() {
        let with = |address: &str, listed: &str| {
            format!(
                r#"{{"version":1,"directory":"/run/mayfly","plain-http":["{listed}"],"files":[],
                    "aws":{{"identity":"irsa","endpoint":"{address}","sts-endpoint":"{address}","proxy":"{address}"}},
                    "vault":{{"address":"{address}","auth":{{"token-file":"/token"}}}}}}"#
            )
        };
        let open = "http://10.0.0.1:8200";
        let words = refused(&with(open, "http://10.0.0.1"), true).expect("a refusal");
        for name in ["aws.endpoint", "aws.sts-endpoint", "aws.proxy", "vault.address"] {
            assert!(words.contains(&format!("`{name}` is plain HTTP")), "{words}");
        }
        assert!(!words.contains("10.0.0.1"), "{words}");
        assert_eq!(refused(&with(open, ""), false), None, "outside a pod");
        assert_eq!(refused(&with(open, open), true), None);
        assert_eq!(refused(&with("http://127.0.0.1:8200", ""), true), None);
        assert_eq!(refused(&with("https://10.0.0.1:8200", ""), true), None);
    }

    #[test]
    fn a_malformed_reference_is_named() {
        let words = refused(&with("vautl:secret/app"), false).expect("a refusal");
        assert!(
            words.starts_with("MAYFLY_CONFIG: ") && words.contains("did you mean `vault`"),
            "{words}"
        );
    }

    #[test]
    fn the_directory_moves_below_the_root() {
        let environment = Environment { config: Some(with("vault:a/b")), ..Environment::default() };
        let spec =
            load(None, &environment, &Root::new(Some("/pod".into()))).expect("a configuration");
        assert_eq!(spec.directory, Path::new("/pod/run/mayfly"));
    }
}
