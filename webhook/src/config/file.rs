//! The configuration as the operator writes it.
//!
//! PURE.

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{spec::Interval, suggestion::Suggestion};
use serde::Deserialize;

use super::{AwsStandIns, Config, ConfigError, PullPolicy, VaultPolicy, defaultable};
use crate::annotations::{Annotation, Settings, ValueError, VaultAddress};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    agent: Agent,
    defaults: BTreeMap<String, String>,
    vault: Vault,
    aws: Aws,
    refresh_floor: Option<Interval>,
    mesh_sidecars: BTreeSet<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Agent {
    image: Option<String>,
    pull_policy: Option<PullPolicy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Vault {
    addresses: Vec<String>,
    ca: Option<Authorities>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Aws {
    endpoint: Option<String>,
    sts_endpoint: Option<String>,
    fips: bool,
    dual_stack: bool,
    proxy: Option<String>,
    ca: Option<Authorities>,
}

/// Certificate authorities in PEM, in the words of the agent's own configuration. A file's name is refused: it would
/// be one of the agent's container, where the operator has no files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorities {
    pem: String,
}

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    let file: Option<File> =
        serde_saphyr::from_str(text).map_err(|error| ConfigError::Yaml(error.to_string()))?;
    file.unwrap_or_default().into_config()
}

impl File {
    fn into_config(self) -> Result<Config, ConfigError> {
        let usual = Config::default();
        let config = Config {
            agent_image: self.agent.image.unwrap_or(usual.agent_image),
            pull_policy: self.agent.pull_policy.unwrap_or(usual.pull_policy),
            defaults: defaults(&self.defaults)?,
            vault: self.vault.into_policy()?,
            aws: self.aws.into_stand_ins()?,
            refresh_floor: self.refresh_floor.unwrap_or(usual.refresh_floor),
            mesh_sidecars: self.mesh_sidecars,
        };
        if config.agent_image.trim().is_empty() {
            return Err(ConfigError::Image);
        }
        match config.defaults.refresh {
            Some(refresh) if refresh < config.refresh_floor => Err(ConfigError::Floor),
            _ => Ok(config),
        }
    }
}

fn defaults(given: &BTreeMap<String, String>) -> Result<Settings, ConfigError> {
    let mut settings = Settings::default();
    for (name, text) in given {
        let annotation =
            Annotation::find(name).filter(|annotation| annotation.has_default()).ok_or_else(
                || ConfigError::NoDefault(name.clone(), Suggestion::new(name, defaultable())),
            )?;
        settings
            .set(annotation, text)
            .map_err(|error| ConfigError::Default(annotation.suffix(), error))?;
    }
    Ok(settings)
}

impl Vault {
    fn into_policy(self) -> Result<VaultPolicy, ConfigError> {
        let address = |text: &String| VaultAddress::parse(text);
        let addresses: Result<_, ValueError> = self.addresses.iter().map(address).collect();
        Ok(VaultPolicy {
            addresses: addresses.map_err(|error| ConfigError::Address("vault.addresses", error))?,
            ca: self.ca.map(|ca| certificates("vault.ca.pem", ca)).transpose()?,
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

/// A stand-in's URL has the form of Vault's.
fn endpoint(field: &'static str, url: Option<String>) -> Result<Option<String>, ConfigError> {
    let parse = |url: String| VaultAddress::parse(&url).map(|url| url.to_string());
    url.map(parse).transpose().map_err(|error| ConfigError::Address(field, error))
}

fn certificates(
    field: &'static str,
    Authorities { pem }: Authorities,
) -> Result<String, ConfigError> {
    if pem.contains("-----BEGIN CERTIFICATE-----") { Ok(pem) } else { Err(ConfigError::Pem(field)) }
}
