//! Where and as whom a reference is read, as far as the reference says it.

use mayfly_spec::reference::{Arn, Parameter, SecretsManagerSecret};

/// A region and a role; `None` is the pod's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Access {
    pub(super) region: Option<String>,
    pub(super) role: Option<Role>,
}

/// A role that is assumed for a read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) external_id: Option<String>,
}

impl Access {
    pub(super) fn of_secret(secret: &SecretsManagerSecret) -> Self {
        let role = Role::new(secret.role.as_ref(), secret.external_id.as_ref());
        Self { region: region(&secret.id, secret.region.as_ref()), role }
    }

    pub(super) fn of_parameter(parameter: &Parameter) -> Self {
        let role = Role::new(parameter.role.as_ref(), parameter.external_id.as_ref());
        Self { region: region(&parameter.name, parameter.region.as_ref()), role }
    }
}

impl Role {
    fn new(arn: Option<&String>, external_id: Option<&String>) -> Option<Self> {
        Some(Self { arn: arn.cloned()?, external_id: external_id.cloned() })
    }
}

/// The ARN's, else the option's.
fn region(id: &str, option: Option<&String>) -> Option<String> {
    let named = Arn::parse(id).map(|arn| arn.region().to_owned()).ok();
    named.or_else(|| option.cloned())
}

/// `id` as it is called in `region`: a replica's ARN differs from its original's in the region only.
pub(super) fn in_region(id: &str, region: &str) -> String {
    match Arn::parse(id) {
        Ok(arn) if arn.region() != region => {
            let parts = id.splitn(6, ':').enumerate();
            let part = |(at, part)| if at == 3 { region } else { part };
            parts.map(part).collect::<Vec<_>>().join(":")
        }
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_called_by_its_own_regions_name() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-a1b2c3";
        let replica = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-a1b2c3";
        assert_eq!(in_region(arn, "eu-west-1"), replica);
        assert_eq!(in_region("prod/db", "eu-west-1"), "prod/db");
    }
}
