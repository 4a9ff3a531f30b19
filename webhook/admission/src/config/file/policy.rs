//! The policy as the operator writes it.
//!
//! PURE.

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::{
    reference::Source,
    spec::{Interval, Mode},
    suggestion::Suggestion,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::selection::{LabelSelector, patterns, refuse_name, selector};
use crate::{
    config::ConfigError,
    policy::{self, Ceiling, Enforcement, Kind, Pattern},
    settings::{Annotation, ValueError, VaultAddress},
};

/// Who may ask for what. Without rules, everybody for everything.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Policy {
    /// What becomes of violations: `enforce` denies, `audit` warns.
    mode: Enforcement,
    /// The first rule that is for a pod decides about it; a pod that none is for may have nothing.
    rules: Vec<Rule>,
}

/// What some pods may ask for. A list that is absent restricts nothing; an empty one allows nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Rule {
    /// What denials and metrics call it, once.
    name: String,
    /// What becomes of violations of this rule.
    mode: Option<Enforcement>,
    /// For pods of these namespaces; absent: of all.
    namespaces: Option<Vec<String>>,
    /// For pods of namespaces with these labels.
    #[serde(default)]
    namespace_selector: LabelSelector,
    /// For pods with these service accounts; absent: with any.
    service_accounts: Option<Vec<String>>,
    /// For pods with these labels.
    #[serde(default)]
    pod_selector: LabelSelector,
    /// References: `<source>:<path>` without a key, or an ARN. A tree needs a pattern that ends in `**`.
    references: Option<Vec<String>>,
    /// Vault's addresses, of those that the operator lists anyway.
    vault_addresses: Option<Vec<String>>,
    /// Roles of Vault's Kubernetes auth method.
    vault_roles: Option<Vec<String>>,
    /// Mounts of it.
    vault_auth_paths: Option<Vec<String>>,
    /// Vault's namespaces; an empty text is the root. A path may begin with a namespace too: name the mounts in
    /// `references`, or each beginning of a path must be an allowed namespace.
    vault_namespaces: Option<Vec<String>>,
    /// The ARNs of IAM roles.
    aws_roles: Option<Vec<String>>,
    /// AWS regions.
    aws_regions: Option<Vec<String>>,
    /// The agent's modes.
    #[schemars(with = "Option<Vec<ModeName>>")]
    modes: Option<Vec<Mode>>,
    /// The most that the agent and its volume may take, also where somebody else wrote it into the agent.
    #[serde(default)]
    ceilings: Ceilings,
    /// The shortest time between two looks for new versions.
    #[schemars(with = "Option<String>")]
    refresh_floor: Option<Interval>,
}

/// The most of each resource, as Kubernetes quantities.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Ceilings {
    cpu_request: Option<String>,
    cpu_limit: Option<String>,
    memory_request: Option<String>,
    memory_limit: Option<String>,
    ephemeral_storage_request: Option<String>,
    ephemeral_storage_limit: Option<String>,
    volume_size: Option<String>,
}

/// The modes' names, for the schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "the schema's view of the agent's own type")]
enum ModeName {
    Sidecar,
    Init,
    Parallel,
}

impl Policy {
    pub(super) fn into_policy(self) -> Result<policy::Policy, ConfigError> {
        let mut names = BTreeSet::new();
        let read = |(index, rule): (usize, Rule)| {
            let place = format!("policy.rules[{index}]");
            refuse_name(&place, &rule.name, &mut names)?;
            rule.into_rule(&place)
        };
        let rules: Result<_, ConfigError> = self.rules.into_iter().enumerate().map(read).collect();
        Ok(policy::Policy { enforcement: self.mode, rules: rules? })
    }
}

impl Rule {
    fn into_rule(self, place: &str) -> Result<policy::Rule, ConfigError> {
        let allowed = self.allowed(place)?;
        let selector = selector(
            place,
            self.namespaces,
            self.namespace_selector,
            self.service_accounts,
            self.pod_selector,
        )?;
        Ok(policy::Rule {
            name: self.name.into(),
            enforcement: self.mode,
            selector,
            allowed,
            ceilings: self.ceilings.read(&format!("{place}.ceilings"))?,
            refresh_floor: self.refresh_floor,
        })
    }

    fn allowed(&self, place: &str) -> Result<BTreeMap<Kind, Vec<Pattern>>, ConfigError> {
        let lists = [
            (Kind::Reference, "references", &self.references),
            (Kind::VaultAddress, "vault-addresses", &self.vault_addresses),
            (Kind::VaultRole, "vault-roles", &self.vault_roles),
            (Kind::VaultAuthPath, "vault-auth-paths", &self.vault_auth_paths),
            (Kind::VaultNamespace, "vault-namespaces", &self.vault_namespaces),
            (Kind::AwsRole, "aws-roles", &self.aws_roles),
            (Kind::AwsRegion, "aws-regions", &self.aws_regions),
        ];
        let mut allowed = BTreeMap::new();
        for (kind, field, texts) in lists {
            let Some(texts) = texts else { continue };
            let place = format!("{place}.{field}");
            let mut patterns = patterns(&place, texts)?;
            for (index, pattern) in patterns.iter_mut().enumerate() {
                let place = || format!("{place}[{index}]");
                match kind {
                    Kind::Reference => refuse_reference(place, pattern)?,
                    Kind::VaultAddress => *pattern = address(place, pattern)?,
                    _ => {}
                }
            }
            allowed.insert(kind, patterns);
        }
        if let Some(modes) = &self.modes {
            let patterns = modes.iter().map(|mode| Pattern::literal(mode.name()));
            allowed.insert(Kind::Mode, patterns.collect());
        }
        Ok(allowed)
    }
}

/// Refuses what no reference is ever compared with. The source must be written out: a wildcard in its
/// place would take in ARNs, and with them other accounts.
fn refuse_reference(place: impl Fn() -> String, pattern: &Pattern) -> Result<(), ConfigError> {
    let refuse = |reason: String| Err(ConfigError::Reference(place(), reason));
    let text = pattern.as_str();
    if text == "**" {
        return Ok(());
    }
    let Some((source, _)) = pattern.start().split_once(':') else {
        return refuse(
            "begin with a source and a colon, for example `vault:secret/{namespace}/**`; `**` alone is everything"
                .to_owned(),
        );
    };
    let known = Source::ALL.map(Source::name).into_iter().chain(["arn"]);
    if !known.clone().any(|name| name == source) {
        return refuse(format!("unknown source `{source}`{}", Suggestion::new(source, known)));
    }
    if text.contains('#') {
        return refuse("leave the `#key` out: a rule is for whole secrets".to_owned());
    }
    match text.split_once('?') {
        Some((_, options)) if !(source == "vault" && matches!(options, "kv=1" | "kv=2")) => {
            refuse("of options only `?kv=1` and `?kv=2` are compared; leave the others out, and list regions and roles in `aws-regions` and `aws-roles`".to_owned())
        }
        _ => Ok(()),
    }
}

/// An address without wildcards, in the spelling in which addresses are compared.
fn address(place: impl Fn() -> String, pattern: &Pattern) -> Result<Pattern, ConfigError> {
    if !pattern.is_literal() {
        return Ok(pattern.clone());
    }
    let address = VaultAddress::parse(pattern.as_str());
    let address = address.map_err(|error| ConfigError::Value(place(), error))?;
    Ok(Pattern::literal(address.as_str()))
}

impl Ceilings {
    fn read(self, place: &str) -> Result<policy::Ceilings, ConfigError> {
        let given = [
            (Annotation::CpuRequest, self.cpu_request),
            (Annotation::CpuLimit, self.cpu_limit),
            (Annotation::MemoryRequest, self.memory_request),
            (Annotation::MemoryLimit, self.memory_limit),
            (Annotation::EphemeralStorageRequest, self.ephemeral_storage_request),
            (Annotation::EphemeralStorageLimit, self.ephemeral_storage_limit),
            (Annotation::VolumeSize, self.volume_size),
        ];
        let given = given.into_iter().filter_map(|(of, text)| Some((of, text?)));
        let read = |(of, text): (Annotation, String)| {
            let refused = |error| ConfigError::Value(format!("{place}.{}", of.suffix()), error);
            match text.parse() {
                Ok(most) => Ok(Ceiling { of, most }),
                Err(error) => Err(refused(ValueError::Quantity { value: text, error })),
            }
        };
        given.map(read).collect()
    }
}
