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
