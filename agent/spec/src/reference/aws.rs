//! What is fetched from AWS: a secret of Secrets Manager, a parameter of Parameter Store.

use std::{fmt, iter};

use super::{
    Arn, ReferenceError, Source,
    grammar::encode,
    options::{Options, write_options},
};

/// A secret of AWS Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretsManagerSecret {
    /// Its name or its full ARN.
    pub id: String,
    /// Which version; `None` is `AWSCURRENT`.
    pub version: Option<SecretVersion>,
    /// The region, if the reference says it.
    pub region: Option<String>,
    /// The ARN of a role to assume for this read.
    pub role: Option<String>,
    /// What the role's trust policy wants to hear from whoever assumes it.
    pub external_id: Option<String>,
}

/// How a version of a Secrets Manager secret is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretVersion {
    /// By staging label, for example `AWSPREVIOUS`.
    Stage(String),
    /// By version id.
    Id(String),
}

/// A parameter, or, with a trailing `/`, the tree below a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parameter {
    /// Its name or its full ARN.
    pub name: String,
    /// Which version; `None` is the newest.
    pub version: Option<ParameterVersion>,
    /// The region, if the reference says it.
    pub region: Option<String>,
    /// The ARN of a role to assume for this read.
    pub role: Option<String>,
    /// What the role's trust policy wants to hear from whoever assumes it.
    pub external_id: Option<String>,
}

/// How a version of a parameter is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterVersion {
    /// By number, from 1.
    Number(u64),
    /// By label.
    Label(String),
}

impl SecretsManagerSecret {
    pub(super) fn parse(
        id: String,
        options: Option<&str>,
        arn: Option<&Arn>,
    ) -> Result<Self, ReferenceError> {
        if arn.is_none() && id.contains(':') {
            return Err(ReferenceError::EcsSuffix(id));
        }
        let known = ["stage", "version", "region", "role", "external-id"];
        let mut options = Options::parse_known(options, Source::AwsSm.name(), &known)?;
        let version = match (options.take("stage")?, options.take("version")?) {
            (Some(_), Some(_)) => return Err(ReferenceError::Exclusive("stage", "version")),
            (Some(stage), None) => Some(SecretVersion::Stage(stage)),
            (None, id) => id.map(SecretVersion::Id),
        };
        let region = region(options.take("region")?, arn)?;
        let (role, external_id) = options.take_role()?;
        Ok(Self { id, version, region, role, external_id })
    }
}

impl Parameter {
    pub(super) fn parse(
        name: String,
        options: Option<&str>,
        arn: Option<&Arn>,
    ) -> Result<Self, ReferenceError> {
        if arn.map_or(name.as_str(), Arn::resource).contains(':') {
            return Err(ReferenceError::SsmSuffix(name));
        }
        let known = ["version", "label", "region", "role", "external-id"];
        let mut options = Options::parse_known(options, Source::AwsSsm.name(), &known)?;
        let version = match (options.take_number("version")?, options.take("label")?) {
            (Some(_), Some(_)) => return Err(ReferenceError::Exclusive("version", "label")),
            (Some(number), None) => Some(ParameterVersion::Number(number)),
            (None, label) => label.map(ParameterVersion::Label),
        };
        let region = region(options.take("region")?, arn)?;
        let (role, external_id) = options.take_role()?;
        let is_plain_tree = name.starts_with('/') && version.is_none();
        if name.ends_with('/') && !is_plain_tree {
            return Err(ReferenceError::ParameterTree(name));
        }
        Ok(Self { name, version, region, role, external_id })
    }
}

/// The option's region; one that only repeats the ARN's is dropped, so that both are one location.
fn region(option: Option<String>, arn: Option<&Arn>) -> Result<Option<String>, ReferenceError> {
    match (option, arn) {
        (Some(option), Some(arn)) if option == arn.region() => Ok(None),
        (Some(option), Some(arn)) => {
            Err(ReferenceError::RegionContradiction { option, arn: arn.region().to_owned() })
        }
        (option, _) => Ok(option),
    }
}

impl fmt::Display for SecretsManagerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match &self.version {
            Some(SecretVersion::Stage(stage)) => Some(("stage", stage.clone())),
            Some(SecretVersion::Id(id)) => Some(("version", id.clone())),
            None => None,
        };
        let bare = self.id.strip_suffix('/');
        write_aws(f, Source::AwsSm, bare.unwrap_or(&self.id))?;
        // A raw one would name a tree.
        f.write_str(if bare.is_some() { "%2F" } else { "" })?;
        let access = access(self.region.as_ref(), self.role.as_ref(), self.external_id.as_ref());
        write_options(f, iter::once(version).chain(access))
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match &self.version {
            Some(ParameterVersion::Number(number)) => Some(("version", number.to_string())),
            Some(ParameterVersion::Label(label)) => Some(("label", label.clone())),
            None => None,
        };
        write_aws(f, Source::AwsSsm, &self.name)?;
        let access = access(self.region.as_ref(), self.role.as_ref(), self.external_id.as_ref());
        write_options(f, iter::once(version).chain(access))
    }
}

fn write_aws(f: &mut fmt::Formatter<'_>, source: Source, id: &str) -> fmt::Result {
    if !id.starts_with("arn:") {
        write!(f, "{source}:")?;
    }
    write!(f, "{}", encode(id))
}

/// The options that say where and as whom.
fn access<'a>(
    region: Option<&String>,
    role: Option<&String>,
    external_id: Option<&String>,
) -> [Option<(&'a str, String)>; 3] {
    let named = |name, value: Option<&String>| value.cloned().map(|value| (name, value));
    [named("region", region), named("role", role), named("external-id", external_id)]
}
