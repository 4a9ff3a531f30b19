//! References in the one spelling in which they are compared.
//!
//! PURE. `<source>:<path>`, percent-encoded as [`Location`]'s own `Display` has it, or the ARN as it
//! is; of a sealed value `kms:` and the ARN of its key. Left out is what says which part or version
//! of a secret: `#key`, `?stage=`, `?version=`; and the fields of a write, which Vault's own policies
//! judge. What says whose secret it is stays: `?kv=`, `?mount=` and `?engine=`,
//! which move a path inside its mount, and `?namespace=`. `?region=`
//! and `?role=` are judged with the pod's other regions and roles.

use std::collections::BTreeMap;

use mayfly_spec::reference::{
    Arn, Location, Parameter, SecretsManagerSecret, VaultPath, VaultWrite,
};

use super::{Ask, Extent, Kind, Wish};
use crate::request::Request;

impl Ask {
    pub(super) fn add_references(&mut self, request: &Request) {
        for (place, location) in request.reads_at() {
            let extent = match location {
                location if location.is_tree() => Extent::Tree,
                location if location.source().is_vault() => {
                    self.add_namespace_of(place, location, &request.settings)
                }
                _ => Extent::Itself,
            };
            let (place, value) = (place.to_owned(), spelling(location));
            self.wishes.push(Wish { kind: Kind::Reference, place, value, extent });
        }
    }
}

fn spelling(location: &Location) -> String {
    match location.clone() {
        Location::AwsSm(SecretsManagerSecret { id, .. }) => Location::AwsSm(SecretsManagerSecret {
            id,
            version: None,
            region: None,
            role: None,
            external_id: None,
        }),
        Location::AwsSsm(Parameter { name, .. }) => Location::AwsSsm(Parameter {
            name,
            version: None,
            region: None,
            role: None,
            external_id: None,
        }),
        Location::Vault(path) => Location::Vault(VaultPath { version: None, ..path }),
        Location::VaultWrite(write) => {
            Location::VaultWrite(VaultWrite { body: BTreeMap::new(), ..write })
        }
        other => other,
    }
    .label()
}

/// The region and the role that a reference names by itself.
pub(super) fn of_aws(location: &Location) -> Option<(Option<String>, Option<&String>)> {
    if let Location::Kms(sealed) = location {
        return Some((Some(sealed.header().key().region().to_owned()), None));
    }
    let (name, region, role) = match location {
        Location::AwsSm(secret) => (&secret.id, &secret.region, &secret.role),
        Location::AwsSsm(parameter) => (&parameter.name, &parameter.region, &parameter.role),
        _ => return None,
    };
    let of_arn = Arn::parse(name).ok().map(|arn| arn.region().to_owned());
    Some((of_arn.or_else(|| region.clone()), role.as_ref()))
}
