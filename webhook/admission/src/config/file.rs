//! The configuration as the operator writes it, and its JSON Schema.
//!
//! PURE.

mod agent;
mod policy;
mod selection;
mod settings;

use std::collections::BTreeSet;

use mayfly_spec::spec::Interval;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Deserializer};

use super::{AwsStandIns, Config, ConfigError, VaultPolicy, image::is_image};
use crate::settings::{ValueError, VaultAddress, host_name, line, region};
use agent::Agent;
use policy::Policy;
use selection::Override;
use settings::Defaults;

/// The configuration of Mayfly's webhook.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "MayflyWebhookConfiguration")]
struct File {
    /// The agent that pods get.
    agent: Agent,
    /// What holds where a pod has no annotation, by the annotations' names.
    defaults: Defaults,
    /// More defaults for some pods; all that are for a pod are laid over `defaults`, later ones over earlier ones.
    overrides: Vec<Override>,
    /// Whether namespaces may carry `mayfly.dev/default.<annotation>`, which their pods may override.
    namespace_annotations: bool,
    /// Who may ask for what.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Policy")]
    policy: Option<Policy>,
    /// How Vault is reached.
    vault: Vault,
    /// What stands in for AWS.
    aws: Aws,
    /// The shortest `refresh` that a pod may ask for.
    #[schemars(with = "Option<String>")]
    refresh_floor: Option<Interval>,
    /// Proxies, native sidecars or others, that the agent comes after, besides those of Istio and Linkerd.
    mesh_sidecars: BTreeSet<String>,
    /// Containers that see no files unless a pod's annotation `containers` names them, as `queue-proxy` or `dind`; a `*`
    /// at the end stands for anything.
    containers_without_files: Vec<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Vault {
    /// What `vault-address` may say besides the defaults.
    addresses: Vec<String>,
    /// Certificate authorities instead of the system's.
    ca: Option<Authorities>,
    /// The name that the servers' certificates are for, and that they are asked for in TLS, instead of the addresses' hosts.
    server_name: Option<String>,
    /// Whether any certificate is taken: for trying out. Whoever is between a pod and Vault can then read its secrets.
    skip_verify: bool,
    /// How Vault's AWS auth method is set up.
    aws_auth: AwsAuth,
}

/// Vault's own settings for its AWS auth method, which the pods' requests must fit.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct AwsAuth {
    /// The region of Vault's `sts_endpoint`; STS's global endpoint, if absent.
    region: Option<String>,
    /// Vault's `iam_server_id_header_value`.
    server_id: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Aws {
    /// Every service's URL.
    endpoint: Option<String>,
    /// STS's URL, before `endpoint`.
    sts_endpoint: Option<String>,
    /// Whether only endpoints with validated cryptography are asked (FIPS 140).
    fips: bool,
    /// Whether the endpoints are asked that have IPv6 addresses too.
    dual_stack: bool,
    /// The URL of the proxy to AWS.
    proxy: Option<String>,
    /// Certificate authorities instead of the system's.
    ca: Option<Authorities>,
}

/// Certificate authorities in PEM, in the words of the agent's own configuration. A file's name is refused: it would
/// be one of the agent's container, where the operator has no files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Authorities {
    /// The certificates' text.
    pem: String,
}

/// A field that is there, whatever is in it.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Policy>, D::Error> {
    Policy::deserialize(deserializer).map(Some)
}

/// The configuration, and whether the file has a policy.
pub(super) fn parse(text: &str) -> Result<(Config, bool), ConfigError> {
    let file: Option<File> =
        serde_saphyr::from_str(text).map_err(|error| ConfigError::Yaml(error.to_string()))?;
    let file = file.unwrap_or_default();
    let has_policy = file.policy.is_some();
    Ok((file.into_config()?, has_policy))
}

pub(super) fn schema() -> Schema {
    schema_for!(File)
}

impl File {
    fn into_config(self) -> Result<Config, ConfigError> {
        let usual = Config::default();
        let floor = self.refresh_floor.unwrap_or(usual.refresh_floor);
        let config = Config {
            defaults: self.defaults.into_defaults("defaults", floor)?,
            vault: self.vault.into_policy()?,
            aws: self.aws.into_stand_ins()?,
            refresh_floor: floor,
            mesh_sidecars: self.mesh_sidecars,
            containers_without_files: containers(self.containers_without_files)?,
            overrides: selection::overrides(self.overrides, floor)?,
            namespace_annotations: self.namespace_annotations,
            policy: self.policy.unwrap_or_default().into_policy()?,
            ..self.agent.into_config(usual)?
        };
        if is_image(&config.agent_image) {
            Ok(config)
        } else {
            Err(ConfigError::Image(config.agent_image))
        }
    }
}

impl Vault {
    fn into_policy(self) -> Result<VaultPolicy, ConfigError> {
        let address = |text: &String| VaultAddress::parse(text);
        let addresses: Result<_, ValueError> = self.addresses.iter().map(address).collect();
        let refused = |error| ConfigError::Value("vault.addresses".to_owned(), error);
        Ok(VaultPolicy {
            addresses: addresses.map_err(refused)?,
            ca: self.ca.map(|ca| certificates("vault.ca.pem", ca)).transpose()?,
            server_name: checked("vault.server-name", self.server_name, host_name)?,
            skip_verify: self.skip_verify,
            sts_region: checked("vault.aws-auth.region", self.aws_auth.region, region)?,
            server_id: checked("vault.aws-auth.server-id", self.aws_auth.server_id, line)?,
        })
    }
}

impl Aws {
    fn into_stand_ins(self) -> Result<AwsStandIns, ConfigError> {
        Ok(AwsStandIns {
            endpoint: endpoint("aws.endpoint", self.endpoint)?,
            sts_endpoint: endpoint("aws.sts-endpoint", self.sts_endpoint)?,
            fips: self.fips,
            dual_stack: self.dual_stack,
            proxy: endpoint("aws.proxy", self.proxy)?,
            ca: self.ca.map(|ca| certificates("aws.ca.pem", ca)).transpose()?,
        })
    }
}

fn containers(patterns: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let bad_byte = |byte: u8| !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let bad = |pattern: &&String| {
        let beginning = pattern.strip_suffix('*').unwrap_or(pattern);
        beginning.is_empty() || beginning.bytes().any(bad_byte)
    };
    match patterns.iter().find(bad) {
        Some(pattern) => {
            let allowed = "a container's name, or the beginning of one and `*`: `step-*`";
            let error = ValueError::Form { value: pattern.clone(), allowed };
            Err(ConfigError::Value("containers-without-files".to_owned(), error))
        }
        None => Ok(patterns),
    }
}

fn checked(
    field: &str,
    text: Option<String>,
    parse: fn(&str) -> Result<String, ValueError>,
) -> Result<Option<String>, ConfigError> {
    let refused = |error| ConfigError::Value(field.to_owned(), error);
    text.map(|text| parse(&text)).transpose().map_err(refused)
}

/// A stand-in's URL has the form of Vault's.
fn endpoint(field: &str, url: Option<String>) -> Result<Option<String>, ConfigError> {
    let parse = |url: String| VaultAddress::parse(&url).map(|url| url.to_string());
    let refused = |error| ConfigError::Value(field.to_owned(), error);
    url.map(parse).transpose().map_err(refused)
}

fn certificates(
    field: &'static str,
    Authorities { pem }: Authorities,
) -> Result<String, ConfigError> {
    if pem.contains("-----BEGIN CERTIFICATE-----") { Ok(pem) } else { Err(ConfigError::Pem(field)) }
}
