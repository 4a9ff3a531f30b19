//! `?option=value&…`: each option once, each known to its source, each taken exactly once.

use std::{collections::BTreeMap, fmt};

use super::{
    ReferenceError,
    grammar::{decode, encode_option},
};
use crate::suggestion::Suggestion;

/// The options of one reference, decoded; [`Options::take`] empties it.
#[derive(Debug)]
pub(super) struct Options(BTreeMap<String, String>);

impl Options {
    /// Options of any name, for the source whose options are a request's body.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, ReferenceError> {
        let mut options = BTreeMap::new();
        for option in text.unwrap_or_default().split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option
                .split_once('=')
                .ok_or_else(|| ReferenceError::OptionWithoutValue(option.to_owned()))?;
            let name = decode(name)?;
            if options.insert(name.clone(), decode(value)?).is_some() {
                return Err(ReferenceError::RepeatedOption(name));
            }
        }
        Ok(Self(options))
    }

    /// Options of the names in `known` only.
    pub(super) fn parse_known(
        text: Option<&str>,
        source_name: &'static str,
        known: &[&'static str],
    ) -> Result<Self, ReferenceError> {
        let options = Self::parse(text)?;
        let Some(option) = options.0.keys().find(|name| !known.contains(&name.as_str())) else {
            return Ok(options);
        };
        if known.is_empty() {
            return Err(ReferenceError::NoOptions(source_name, option.clone()));
        }
        let suggestion = Suggestion::new(option, known.iter().copied());
        Err(ReferenceError::UnknownOption { source_name, option: option.clone(), suggestion })
    }

    /// The option's value, which may not be empty.
    pub(super) fn take(&mut self, option: &'static str) -> Result<Option<String>, ReferenceError> {
        match self.0.remove(option) {
            Some(value) if value.trim().is_empty() || value.chars().any(char::is_control) => {
                let allowed = "text without control characters";
                Err(ReferenceError::OptionValue { option, value, allowed })
            }
            value => Ok(value),
        }
    }

    /// The option's value as a whole number of one or more.
    pub(super) fn take_number(
        &mut self,
        option: &'static str,
    ) -> Result<Option<u64>, ReferenceError> {
        let Some(value) = self.take(option)? else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => {
                let allowed = "a whole number from 1";
                Err(ReferenceError::OptionValue { option, value, allowed })
            }
        }
    }

    /// An IAM role's ARN, and the external id to assume it with.
    pub(super) fn take_role(&mut self) -> Result<(Option<String>, Option<String>), ReferenceError> {
        let (role, external_id) = (self.take("role")?, self.take("external-id")?);
        let is_role =
            |arn: &str| arn.starts_with("arn:") && arn.contains(":iam::") && arn.contains(":role/");
        match role {
            None if external_id.is_some() => Err(ReferenceError::ExternalIdWithoutRole),
            Some(value) if !is_role(&value) => {
                let allowed = "an IAM role's ARN, `arn:aws:iam::<account>:role/<name>`";
                Err(ReferenceError::OptionValue { option: "role", value, allowed })
            }
            role => Ok((role, external_id)),
        }
    }

    /// All options as they are.
    pub(super) fn into_inner(self) -> BTreeMap<String, String> {
        self.0
    }
}

/// Prints the options that there are, as [`Options::parse`] reads them.
pub(super) fn write_options<'a>(
    f: &mut fmt::Formatter<'_>,
    options: impl IntoIterator<Item = Option<(&'a str, String)>>,
) -> fmt::Result {
    let separators = std::iter::once('?').chain(std::iter::repeat('&'));
    for (separator, (name, value)) in separators.zip(options.into_iter().flatten()) {
        write!(f, "{separator}{}={}", encode_option(name), encode_option(&value))?;
    }
    Ok(())
}
