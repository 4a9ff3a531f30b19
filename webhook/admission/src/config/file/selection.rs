//! Which pods something is for, and the defaults that are for some pods only.
//!
//! PURE.

use std::collections::{BTreeMap, BTreeSet};

use mayfly_spec::spec::Interval;
use schemars::JsonSchema;
use serde::Deserialize;

use super::settings::Defaults;
use crate::{
    config::{self, ConfigError},
    policy::{Labels, Pattern, Requirement, Selector},
};

/// The longest name: Kubernetes' own for a label's value.
const LONGEST_NAME: usize = 63;

/// Defaults for some pods. What nothing but `pod-selector` brings to a pod is judged by the policy like the pod's own
/// annotations, because whoever creates a pod chooses its labels. Its first fields are those of a policy's rule, written again because serde refuses unknown
/// fields only where nothing is flattened.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Override {
    /// What it is called, once.
    name: String,
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
    /// What holds for them where a pod has no annotation.
    #[serde(default)]
    defaults: Defaults,
}

/// Kubernetes' own label selector.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct LabelSelector {
    /// Labels that must be there with these values.
    match_labels: BTreeMap<String, String>,
    /// Expressions that must hold.
    match_expressions: Vec<Expression>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Expression {
    /// The label's key.
    key: String,
    /// What must hold for it.
    operator: Operator,
    /// The values of `In` and `NotIn`.
    #[serde(default)]
    values: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

pub(super) fn overrides(
    given: Vec<Override>,
    floor: Interval,
) -> Result<Vec<config::Override>, ConfigError> {
    let mut names = BTreeSet::new();
    let read = |(index, one): (usize, Override)| {
        let place = format!("overrides[{index}]");
        refuse_name(&place, &one.name, &mut names)?;
        let selector = selector(
            &place,
            one.namespaces,
            one.namespace_selector,
            one.service_accounts,
            one.pod_selector,
        )?;
        let defaults = one.defaults.into_defaults(&format!("{place}.defaults"), floor)?;
        Ok(config::Override { name: one.name, selector, defaults })
    };
    given.into_iter().enumerate().map(read).collect()
}

/// Refuses a name that no metric's label should have, or that is taken.
pub(super) fn refuse_name(
    place: &str,
    name: &str,
    taken: &mut BTreeSet<String>,
) -> Result<(), ConfigError> {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let place = format!("{place}.name");
    let is_name = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| is_alphanumeric(byte) || byte == b'-')
        && [name.bytes().next(), name.bytes().last()].into_iter().flatten().all(is_alphanumeric);
    match (is_name, taken.insert(name.to_owned())) {
        (false, _) => Err(ConfigError::Name(place)),
        (true, false) => Err(ConfigError::Repeated(place)),
        (true, true) => Ok(()),
    }
}

pub(super) fn selector(
    place: &str,
    namespaces: Option<Vec<String>>,
    namespace_selector: LabelSelector,
    service_accounts: Option<Vec<String>>,
    pod_selector: LabelSelector,
) -> Result<Selector, ConfigError> {
    let names = |field: &str, names: Option<Vec<String>>| {
        names.map(|names| patterns(&format!("{place}.{field}"), &names)).transpose()
    };
    Ok(Selector {
        namespaces: names("namespaces", namespaces)?,
        namespace_labels: namespace_selector.into_labels(&format!("{place}.namespace-selector"))?,
        service_accounts: names("service-accounts", service_accounts)?,
        pod_labels: pod_selector.into_labels(&format!("{place}.pod-selector"))?,
    })
}

/// Patterns; `place` is the list's.
pub(super) fn patterns(place: &str, texts: &[String]) -> Result<Vec<Pattern>, ConfigError> {
    let parse = |(index, text): (usize, &String)| {
        let refused = |error| ConfigError::Pattern(format!("{place}[{index}]"), error);
        text.parse().map_err(refused)
    };
    texts.iter().enumerate().map(parse).collect()
}

impl LabelSelector {
    fn into_labels(self, place: &str) -> Result<Labels, ConfigError> {
        let equal = self.match_labels.into_iter();
        let equal = equal.map(|(key, value)| Ok(Requirement::equals(key, value)));
        let expressions = self.match_expressions.into_iter().enumerate();
        let expressions = expressions.map(|(index, expression)| {
            let refused = |reason: &str| {
                let place = format!("{place}.matchExpressions[{index}]");
                ConfigError::Labels(place, reason.to_owned())
            };
            expression.into_requirement().map_err(refused)
        });
        equal.chain(expressions).collect()
    }
}

impl Expression {
    fn into_requirement(self) -> Result<Requirement, &'static str> {
        let Self { key, operator, values } = self;
        match (operator, values.is_empty()) {
            (Operator::In, false) => Ok(Requirement::In(key, values)),
            (Operator::NotIn, false) => Ok(Requirement::NotIn(key, values)),
            (Operator::Exists, true) => Ok(Requirement::Exists(key)),
            (Operator::DoesNotExist, true) => Ok(Requirement::DoesNotExist(key)),
            (Operator::In | Operator::NotIn, true) => Err("`In` and `NotIn` need `values`"),
            (Operator::Exists | Operator::DoesNotExist, false) => {
                Err("`Exists` and `DoesNotExist` take no `values`")
            }
        }
    }
}
