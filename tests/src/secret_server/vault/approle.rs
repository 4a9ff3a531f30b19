//! The AppRole auth method: a role id and a secret id go in, a Vault token comes out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Vault, errors};
use crate::secret_server::{Request, identifier::uuid, reply::Reply};

/// The roles of a mount: their secret ids by their role ids.
pub(super) type AppRoles = BTreeMap<String, BTreeSet<String>>;

impl Vault {
    /// Makes a role; gives its role id and a secret id.
    pub fn add_app_role(&mut self, mount: &str) -> [String; 2] {
        let [role_id, secret_id] = [uuid(), uuid()];
        let roles = self.app_roles.entry(mount.to_owned()).or_default();
        roles.insert(role_id.clone(), BTreeSet::from([secret_id.clone()]));
        [role_id, secret_id]
    }

    /// One more secret id of a role.
    pub fn add_secret_id(&mut self, mount: &str, role_id: &str) -> String {
        let secret_id = uuid();
        let roles = self.app_roles.entry(mount.to_owned()).or_default();
        roles.entry(role_id.to_owned()).or_default().insert(secret_id.clone());
        secret_id
    }

    /// No secret id of any role is good any more.
    pub fn revoke_secret_ids(&mut self) {
        self.app_roles.values_mut().flat_map(BTreeMap::values_mut).for_each(BTreeSet::clear);
    }

    pub(super) fn login_by_app_role(&mut self, mount: &str, request: &Request) -> Reply {
        let body = request.json();
        let (role_id, secret_id) = (body["role_id"].as_str(), body["secret_id"].as_str());
        let roles = &self.app_roles[mount];
        let known = role_id.and_then(|id| roles.get(id));
        match (known, secret_id) {
            (Some(ids), Some(id)) if ids.contains(id) => self.welcome("approle"),
            (_, Some(id)) => errors(400, &[&format!("invalid role or secret ID: {id}")]),
            (_, None) => errors(400, &["missing secret_id"]),
        }
    }
}
