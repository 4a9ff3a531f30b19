//! ARNs: of what is read and of roles, as far as a manifest says them.

use mayfly_spec::reference::Arn;

/// Where a region is not known.
pub(in crate::explain) const REGION: &str = "<REGION>";
/// Where an account is not known.
pub(super) const ACCOUNT: &str = "<ACCOUNT>";

/// What the names in references belong to.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    account: String,
    regions: &'a [String],
}

impl<'a> Scope<'a> {
    /// Of the account of `role`, if it is known; in `regions`, of which all but the first stand in.
    pub(super) fn new(role: Option<&String>, regions: &'a [String]) -> Self {
        let account = role.and_then(|role| RoleName::parse(role)).map(|role| role.account);
        Self { account: account.unwrap_or_else(|| ACCOUNT.to_owned()), regions }
    }

    /// The regions that are asked for what lies in `region`.
    pub(super) fn regions<'b>(&'b self, region: Option<&'b str>) -> Vec<&'b str> {
        match (region, self.regions.first()) {
            (Some(region), Some(own)) if region != own => vec![region],
            _ => self.regions.iter().map(String::as_str).collect(),
        }
    }

    /// The ARN of a service's resource that a reference calls by name.
    pub(super) fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{resource}", partition(region), self.account)
    }
}

/// The partition that `region` is in.
pub(super) fn partition(region: &str) -> &'static str {
    let partitions = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    let found = partitions.into_iter().find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("aws", |(_, partition)| partition)
}

/// What a service of `region` is called by KMS.
pub(super) fn host(service: &str, region: &str) -> String {
    let china = if partition(region) == "aws-cn" { ".cn" } else { "" };
    format!("{service}.{region}.amazonaws.com{china}")
}

/// The region in an ARN.
pub(super) fn region_of(id: &str) -> Option<&str> {
    let region = id.strip_prefix("arn:")?.split(':').nth(2)?;
    Arn::parse(id).is_ok().then_some(region)
}

/// An ARN with another region: what its replica is called.
pub(super) fn in_region(arn: &str, region: &str) -> String {
    let parts = arn.splitn(6, ':').enumerate();
    let part = |(at, part)| if at == 3 { region } else { part };
    parts.map(part).collect::<Vec<_>>().join(":")
}

/// `text` as a resource of a policy: what would be a pattern there is the character itself.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '$' | '*' | '?' => literal.extend(['$', '{', character, '}']),
            _ => literal.push(character),
        }
    }
    literal
}

/// The parts of a role's ARN.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::explain) struct RoleName {
    pub(in crate::explain) partition: String,
    pub(in crate::explain) account: String,
    /// `/`, or `/team/`.
    pub(in crate::explain) path: String,
    pub(in crate::explain) name: String,
}

impl RoleName {
    pub(in crate::explain) fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(1);
        let (partition, account) = (parts.next()?, parts.nth(2)?);
        let path_and_name = parts.next()?.strip_prefix("role")?;
        let (path, name) = path_and_name.rsplit_once('/')?;
        Some(Self {
            partition: partition.to_owned(),
            account: account.to_owned(),
            path: format!("{path}/"),
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_in_a_name_grants_nothing_more() {
        assert_eq!(literal("prod/*"), "prod/${*}");
        assert_eq!(literal("a?${x"), "a${?}${$}{x");
    }

    #[test]
    fn roles_are_read_with_their_paths() {
        let role = RoleName::parse("arn:aws-cn:iam::123456789012:role/team/web").expect("a role");
        let RoleName { partition, account, path, name } = &role;
        assert_eq!([partition, account, path, name], ["aws-cn", "123456789012", "/team/", "web"]);
        let plain = RoleName::parse("arn:aws:iam::123456789012:role/web").expect("a role");
        assert_eq!((plain.path.as_str(), plain.name.as_str()), ("/", "web"));
        assert_eq!(RoleName::parse("arn:aws:iam::123456789012:user/web"), None);
    }
}
