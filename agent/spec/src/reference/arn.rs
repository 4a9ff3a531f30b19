//! Amazon Resource Names: the parts that a reference needs, of every partition.

use std::fmt;

use super::ReferenceError;

/// `arn:<partition>:<service>:<region>:<account>:<resource>`, cut at the first five colons.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: String,
}

impl Arn {
    /// Accepts any partition, region and account that are not empty: a list of them would be old
    /// the day after. Only AWS's own public parameters have no account.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let arn = Self { text: text.to_owned() };
        let is_there = |at| !arn.part(at).is_empty() || at == 4 && arn.is_public();
        let complete = text.starts_with("arn:") && [1, 2, 3, 4, 5].into_iter().all(is_there);
        complete.then_some(arn).ok_or_else(|| ReferenceError::Arn(text.to_owned()))
    }

    /// `secretsmanager`, `ssm`, …
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region, for example `eu-central-1`.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account's twelve digits; empty if the thing is AWS's own.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// What the service calls the thing, for example `secret:prod/db-a1b2c3`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// The ARN as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a parameter that AWS publishes for everybody: those have no account.
    fn is_public(&self) -> bool {
        self.service() == "ssm" && self.resource().starts_with("parameter/aws/")
    }

    fn part(&self, at: usize) -> &str {
        self.text.splitn(6, ':').nth(at).unwrap_or_default()
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
